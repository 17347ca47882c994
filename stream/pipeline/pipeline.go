package pipeline

import "time"

// Pipeline is a pipeline file as Go sees it. Each default is stated at its field and filled in by EnsureDefaults;
// durations and sizes of zero are replaced by it unless said otherwise.
type Pipeline struct {
	// Name is the pipeline's identity: consumer group, transactional id, state, checkpoints. Required.
	Name      string
	Kafka     Kafka
	Source    Source
	Let       []Let
	Outputs   []Output
	Lake      Lake
	Reconcile Reconcile
	State     State
	Commit    Commit

	// Dir is the directory that relative paths start from: that of the pipeline file.
	Dir string

	file   string              // as given to Load, for faults
	places map[string]position // where each path of the file stands; empty for a Pipeline made in Go
	hidden map[string]string   // paths whose text came by ${...}, with the text as written, for faults
	lines  []string            // of the file, to find places within values
}

// Kafka says how to reach the brokers.
type Kafka struct {
	// Brokers are host:port addresses to start from. Required.
	Brokers []string
	// TLS is nil for plain text.
	TLS *TLS
	// SASL is nil for no authentication.
	SASL *SASL
}

// TLS encrypts the connections to the brokers.
type TLS struct {
	// CA names a PEM file of the authorities that may sign the brokers' certificates, relative to the pipeline file.
	// Default: the system's.
	CA string
}

// SASL is a user name and password and how they are presented.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Required.
	Mechanism string
	// Username and Password are required; a password only comes by ${ENV} or ${file:/path}.
	Username Secret
	Password Secret
}

// Secret is text that is never printed.
type Secret string

// String hides the text, as do the other methods by which values are printed.
func (Secret) String() string { return "[hidden]" }

// GoString hides the text from %#v.
func (Secret) GoString() string { return "[hidden]" }

// MarshalText hides the text from JSON and from slog's text form.
func (Secret) MarshalText() ([]byte, error) { return []byte("[hidden]"), nil }

// Reveal gives the text.
func (s Secret) Reveal() string { return string(s) }

// Formats of source records.
const (
	FormatAvro    = "avro"     // Avro behind the Confluent header: 0x00, schema id
	FormatAvroRaw = "avro-raw" // plain Avro
)

// Where a task that has never run begins.
const (
	StartEarliest = "earliest"
	StartLatest   = "latest"
)

// Source is the topic that is read, and what its records mean.
type Source struct {
	// Topic is required.
	Topic string
	// Format is FormatAvro or FormatAvroRaw. Required.
	Format string
	Schema SchemaRef
	// EventID names the fields that together identify an event. Default: none, and every record counts.
	EventID []string
	// EventTime names the event's own time, a timestamp-millis or -micros. Required.
	EventTime string
	// Key names the fields that the topic is keyed by, each a string or a whole number. Required.
	Key []string
	// Partitioner says how the producers choose a partition from the key's text. Default and only one: murmur2.
	Partitioner string
	// Start is StartEarliest or StartLatest, and counts at the first start only. Default: StartEarliest.
	Start     string
	Watermark Watermark
}

// SchemaRef names the writer's schema.
type SchemaRef struct {
	// File is an Avro schema, relative to the pipeline file. Required.
	File string
	// IDs are the registry's ids of that schema: required with FormatAvro, refused with FormatAvroRaw.
	IDs []uint32
}

// Watermark says how event time advances.
type Watermark struct {
	// MaxOutOfOrderness is how far an event may lag behind the latest of its partition without being late, if windows
	// closed at their ends. Default: 0.
	MaxOutOfOrderness time.Duration
	// MaxFuture is how far event time may jump at once; a jump beyond needs Confirm further events. Default: 24h.
	MaxFuture time.Duration
	// Confirm is the number of further events that a jump needs. Default (if nil): 3.
	Confirm *int
	// IdleAfter is how long a partition must give nothing to count as idle. Default: 5m.
	IdleAfter time.Duration
	// CloseWhenIdle is how long all partitions must be silent before event time is advanced to close what is open.
	// 0, the default, is never.
	CloseWhenIdle time.Duration
}

// Let is a named expression.
type Let struct {
	Name string
	Expr string
}

// Output is one curated topic.
type Output struct {
	// Name is the topic's and the table's. Required.
	Name string
	// GroupBy names fields or lets. Required; it contains every field of Source.Key.
	GroupBy []string
	Window  Window
	// AllowedLateness is how long after its end a window stays open. Default: 0.
	AllowedLateness time.Duration
	// Late says what becomes of late events. Default and only value: reconcile.
	Late string
	// Aggregate lists the aggregates in the order of the file. Required.
	Aggregate []Aggregate
	// Emit says when results are published. Default and only value: on_close.
	Emit  string
	Topic TopicSpec
}

// Window cuts event time.
type Window struct {
	// Tumbling is the size of windows aligned to the epoch. Required; at most 366 days.
	Tumbling time.Duration
}

// Aggregate is a named call, as in "mean(departure_delay)".
type Aggregate struct {
	Name string
	Call string
}

// TopicSpec says how a curated topic is made if it doesn't exist.
type TopicSpec struct {
	// Partitions must never change afterwards. Default: 4.
	Partitions int32
	// Replication is the replication factor. Default: 0, which leaves it to the broker's default.
	Replication int16
}

// Lake says where the raw lake is and how it is written.
type Lake struct {
	// Bucket is file://./relative, file:///absolute or mem://name. Default: file://./tidemark-data/lake.
	Bucket string
	Roll   Roll
}

// Roll says when files become visible: whatever comes first.
type Roll struct {
	// Every is how long records wait at most. Default: 1m.
	Every time.Duration
	// BytesMax is how many bytes of one partition wait at most. Default: 64 MiB.
	BytesMax int64
}

// What a guard does when it trips.
const (
	ElseHold    = "hold"    // wait for an approval
	ElsePublish = "publish" // publish, and say so
	ElseFail    = "fail"    // fail
)

// Reconcile says when units are corrected and how much may change unseen.
type Reconcile struct {
	// Settle is how long a unit must have been left alone before it is due. Default: 2h.
	Settle time.Duration
	Guard  Guard
	// Lookback is how old a unit may be and still be looked at unasked. Default: 0, which is no limit.
	Lookback time.Duration
}

// Guard limits what a reconciliation may change without approval.
type Guard struct {
	// MaxChangedWindows is a share of the windows checked, 0 to 1. Default (if nil): 0.05.
	MaxChangedWindows *float64
	// MaxChange limits the relative change of an aggregate's total, by the aggregate's name. Default: none.
	MaxChange map[string]float64
	// Else is ElseHold, ElsePublish or ElseFail. Default: ElseHold.
	Else string
}

// State says where task state is kept.
type State struct {
	// Dir is relative to the pipeline file. Default: ./tidemark-data/state.
	Dir string
	// MemoryMax, in bytes, bounds the memory of all tasks of the process together. Default: 512 MiB.
	MemoryMax int64
	// CheckpointEvery is the time between checkpoints. Default: 30s.
	CheckpointEvery time.Duration
	// Keep is how many checkpoints of a task are kept, at least 3. Default: 5.
	Keep int
}

// Commit says how often results are published.
type Commit struct {
	// Every is the time between transactions. Default: 200ms.
	Every time.Duration
}

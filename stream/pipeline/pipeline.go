package pipeline

import (
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Pipeline is a pipeline file as Go sees it. Each default is stated at its field and filled in by EnsureDefaults;
// durations and sizes of zero are replaced by it unless said otherwise.
type Pipeline struct {
	// Name is the pipeline's identity: consumer group, transactional id, state, checkpoints. Required.
	Name  string
	Kafka Kafka
	// Source is the source of a pipeline with one. Exactly one of Source and Sources is given.
	Source Source
	// Sources are the sources of a pipeline with several, in the order of the file.
	Sources []NamedSource
	// Join and Enrich say how two sources meet. Several sources with neither are grouped together.
	Join   *Join
	Enrich *Enrichment
	// Rules are applied to each event in the order of the file; at most 64.
	Rules     []Rule
	Let       []Let
	Outputs   []Output
	Lake      Lake
	Reconcile Reconcile
	State     State
	Commit    Commit

	// Dir is the directory that relative paths start from: that of the pipeline file.
	Dir string

	// Extensions are functions and aggregates of the program's own, which the file may use by name.
	Extensions Extensions `json:"-"`

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
	// SessionTimeout is how long a process may be silent before others get its tasks. Default 45 s.
	SessionTimeout time.Duration
	// TransactionTimeout is how long a dead process may hold up readers of the results. Default 10 s.
	TransactionTimeout time.Duration
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
	FormatAvro     = schema.FormatAvro     // Avro behind the Confluent header: 0x00, schema id
	FormatAvroRaw  = schema.FormatAvroRaw  // plain Avro
	FormatJSON     = schema.FormatJSON     // a JSON document, behind the Confluent header if SchemaRef.IDs are given
	FormatProtobuf = schema.FormatProtobuf // a Protocol Buffers message, behind the Confluent header if SchemaRef.IDs are given
)

// Where a task that has never run begins.
const (
	StartEarliest = "earliest"
	StartLatest   = "latest"
)

// NamedSource is one of several sources. Its fields are called by its name and theirs: bids.price.
type NamedSource struct {
	Name string
	Source
}

// Source is the topic that is read, and what its records mean.
type Source struct {
	// Topic is required.
	Topic string
	// Format is FormatAvro, FormatAvroRaw, FormatJSON or FormatProtobuf. Required.
	Format string
	Schema SchemaRef
	// Unnest names an array: each of its elements, with the fields of the record around it, counts as an event of its own.
	// Default: none.
	Unnest string
	// EventID names the fields that together identify an event. Default: none, and every record counts.
	EventID []string
	// EventTime names the event's own time, a timestamp-millis or -micros. Required.
	EventTime string
	// Key names the fields that the topic is keyed by, each a string or a whole number. Default: none, and the pipeline
	// distributes the events by a topic of its own. Sources that meet in one pipeline need it.
	Key []string
	// Partitioner says how the producers choose a partition from the key's text. Default and only one: murmur2.
	Partitioner string
	// Start is StartEarliest or StartLatest, and counts at the first start only. Default: StartEarliest.
	Start     string
	Watermark Watermark
}

// SchemaRef names the writer's schema: one of File, JSONSchema and Descriptor, relative to the pipeline file.
type SchemaRef struct {
	// File is an Avro schema: required with FormatAvro and FormatAvroRaw, one of two ways with FormatJSON.
	File string
	// JSONSchema is a JSON Schema, the other way with FormatJSON.
	JSONSchema string
	// Descriptor is a FileDescriptorSet as protoc writes it: required with FormatProtobuf.
	Descriptor string
	// Message is the full name of the message in Descriptor: required with FormatProtobuf.
	Message string
	// IDs are the registry's ids of that schema: required with FormatAvro, refused with FormatAvroRaw. With the other
	// formats they say that records carry the Confluent header.
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

// Join makes one event of two.
type Join struct {
	Interval *Interval
	// AllowedLateness is how long an event is waited for after its time. Default: 0.
	AllowedLateness time.Duration
}

// Interval joins each event of Left with the events of Right whose times are within Lower to Upper after its own.
type Interval struct {
	// Left and Right name sources. Required.
	Left, Right string
	// On names, for each of the two sources, the fields whose values must be equal: those of its Key. Required.
	On map[string][]string
	// Lower and Upper bound the right event's time minus the left one's, both included; they may be negative. Required
	// in a file.
	Lower, Upper time.Duration
}

// Enrichment gives each event of Source the fields of the latest version in With as of the event's time.
type Enrichment struct {
	// Source and With name sources. Required.
	Source, With string
	// On names, for each of the two sources, the fields whose values must be equal: those of its Key. Required.
	On map[string][]string
	// AllowedLateness is how long a version is waited for after its time. Default: 0.
	AllowedLateness time.Duration
}

// What rules do with an event.
const (
	RuleFilter     = "filter"     // count it by the rule's name, and leave it out
	RuleQuarantine = "quarantine" // count it and journal it as invalid, and leave it out
	RuleCount      = "count"      // count it, and go on
)

// Rule decides about single events: by When and Then, or by Expect and Else.
type Rule struct {
	// Name is what the rule is counted by. Required.
	Name string
	// When is a condition; Then is what happens to an event that meets it: RuleFilter.
	When string
	Then string
	// Expect is a condition; Else is what happens to an event that doesn't meet it: RuleFilter, RuleQuarantine or RuleCount.
	Expect string
	Else   string
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
	// GroupBy names fields, lets, or elements of GroupExprs. Required, but may be empty and not nil: all events are then one
	// group. If it lacks a field of Source.Key, the pipeline distributes the events by a topic of its own.
	GroupBy []string
	// GroupExprs are the expressions of the names in GroupBy that have one.
	GroupExprs map[string]string
	Window     Window
	// AllowedLateness is how long after its end a window stays open. Default: 0, or the join's.
	AllowedLateness time.Duration
	// Late says what becomes of late events: LateReconcile or LateOff. Default: LateReconcile.
	Late string
	// LateOffReason says why late events are not corrected: required with LateOff.
	LateOffReason string
	// Aggregate lists the aggregates in the order of the file. Required.
	Aggregate []Aggregate
	// Emit says when results are published: EmitOnClose or EmitOnUpdate. Default: EmitOnClose.
	Emit string
	// UpdateEvery is the time between provisional results with EmitOnUpdate, and 0 with EmitOnClose.
	UpdateEvery time.Duration
	Topic       TopicSpec
}

// Window cuts event time, in one of three ways.
type Window struct {
	// Tumbling is the size of windows that follow one another; at most 366 days.
	Tumbling time.Duration
	// Hopping is for windows that overlap.
	Hopping *Hopping
	// Session is for windows that end with silence.
	Session *Session
	// Timezone is the IANA name of the zone whose days and hours the windows follow. Default: "", which is UTC.
	Timezone string
}

// Hopping windows begin every Every, and last Size.
type Hopping struct {
	// Size is at most 366 days. Required.
	Size time.Duration
	// Every is at most Size. Required.
	Every time.Duration
}

// Session windows hold events of one group that follow each other within less than Gap.
type Session struct {
	// Gap is less than Within. Required.
	Gap time.Duration
	// Within is the span of aligned time at whose ends sessions are cut; at most 366 days. Required.
	Within time.Duration
}

// Extensions are what a Go program adds to the aggregates and to the functions of expressions.
type Extensions struct {
	Aggregates []window.Definition
	Functions  map[string]expr.Function
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
	// Bucket is file://./relative, file:///absolute, s3://bucket/prefix, gs://bucket/prefix, azblob://container/prefix or mem://name.
	// Default: file://./tidemark-data/lake.
	Bucket string
	Roll   Roll
	// PauseAt is a share of a source topic's retention, 0 to 1: a task whose oldest record that isn't in the lake is older
	// reads no more until it is. Default (if nil): 0.5.
	PauseAt *float64
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
	// OpenMax bounds the open results of a task: windows times groups, and open sessions. An event that would open one more
	// stops its task. Default: 50,000,000.
	OpenMax int64
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

package lake

import (
	"context"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Declaration says what an event of a topic is. It is made once per topic.
type Declaration struct {
	Topic     string
	TopicID   string // "" when not known
	EventTime string // path of the event time field
	EventID   []string
	Format    string // "avro" or "avro-raw"
	Schemas   []SchemaDecl
}

// SchemaDecl is one writer schema.
type SchemaDecl struct {
	ID   uint32
	JSON string
}

// Topic is one topic's part of the lake.
type Topic struct{}

// OpenTopic declares.
func OpenTopic(ctx context.Context, b blob.Bucket, d Declaration) (*Topic, error) { panic("api") }

// LookTopic opens for reading. blob.ErrNotFound when never declared.
func LookTopic(ctx context.Context, b blob.Bucket, topic string) (*Topic, error) { panic("api") }

// Topics lists declared topics, sorted.
func Topics(ctx context.Context, b blob.Bucket) ([]string, error) { panic("api") }

// Declaration returns what the topic was declared as, schemas sorted by id.
func (t *Topic) Declaration() Declaration { panic("api") }

// Partitions lists the partitions whose log has begun, sorted.
func (t *Topic) Partitions(ctx context.Context) ([]int32, error) { panic("api") }

// Log returns the log of one partition, cached per topic and shared.
func (t *Topic) Log(partition int32) *Log { panic("api") }

// Log is the cached log of a partition.
type Log struct{}

// Refresh reads on from the known end.
func (l *Log) Refresh(ctx context.Context) error { panic("api") }

// Entries are all known entries.
func (l *Log) Entries() []Entry { panic("api") }

// Begun reports whether the start marker was seen.
func (l *Log) Begun() bool { panic("api") }

// Start is the first offset of the log.
func (l *Log) Start() int64 { panic("api") }

// End is the offset behind the last entry.
func (l *Log) End() int64 { panic("api") }

// Entry is one entry of a partition's log.
type Entry struct {
	Topic       string
	TopicID     string
	Partition   int32
	First, End  int64
	Records     int64
	Quarantined int64
	Files       []File
}

// File is one raw or quarantine file named by the log.
type File struct {
	Path             string // key in the bucket
	Partition        int32
	Hour             string // "dt=2013-01-05/hr=07"; "" for quarantine
	Quarantine       bool
	SchemaID         uint32
	Records          int64
	Bytes            int64
	First, Last      int64 // offsets of the first and last record
	MinTime, MaxTime int64 // event times, ms; 0 for quarantine
	SHA256           string
}

// Budget bounds the memory of all landers of a process.
type Budget struct{}

// NewBudget returns a budget of so many bytes.
func NewBudget(limitBytes int64) *Budget { panic("api") }

// Over reports that the budget is used up: land before appending more.
func (b *Budget) Over() bool { panic("api") }

// Used is the number of bytes held.
func (b *Budget) Used() int64 { panic("api") }

// Wait blocks until the budget is not over.
func (b *Budget) Wait(ctx context.Context) error { panic("api") }

// LanderOptions configure a lander.
type LanderOptions struct {
	Every       time.Duration
	BytesMax    int64
	Budget      *Budget
	Now         func() time.Time
	FirstOffset int64
}

// Lander lands one partition.
type Lander struct{}

// Batch is a sealed range.
type Batch struct{}

// Lander opens a lander.
func (t *Topic) Lander(ctx context.Context, partition int32, o LanderOptions) (*Lander, error) {
	panic("api")
}

// Next is the next offset to append.
func (l *Lander) Next() int64 { panic("api") }

// Landed is the end of the log as known.
func (l *Lander) Landed() int64 { panic("api") }

// Append buffers. ErrFull: not taken; seal and land, then append again.
func (l *Lander) Append(r *Record, ld Landing) error { panic("api") }

// Advance passes control records.
func (l *Lander) Advance(next int64) { panic("api") }

// Due reports that Seal should be called.
func (l *Lander) Due() bool { panic("api") }

// Buffered is the number of encoded bytes held, sealed ones included.
func (l *Lander) Buffered() int64 { panic("api") }

// Seal closes the open range; nil if nothing or a batch is in flight.
func (l *Lander) Seal() *Batch { panic("api") }

// Land writes a sealed batch; on error call it again with the same batch.
func (l *Lander) Land(ctx context.Context, b *Batch) error { panic("api") }

// Close drops what is buffered and gives its bytes back to the budget.
func (l *Lander) Close() { panic("api") }

// ReadFile streams the records of a file.
func ReadFile(ctx context.Context, b blob.Bucket, f File, fn func(*Stored) error) error {
	panic("api")
}

// Hour is the lake partition of an event time in ms.
func Hour(t int64) string { panic("api") }

// ParseHour returns the start of the hour in ms.
func ParseHour(hour string) (int64, error) { panic("api") }

// Fault is one finding of Check.
type Fault struct {
	Kind      FaultKind
	Partition int32
	Path      string
	Offset    int64
	Msg       string
}

// FaultKind is a stable slug.
type FaultKind string

// Harmless reports whether the finding is no damage (pending, garbage).
func (k FaultKind) Harmless() bool { panic("api") }

// Summary counts what Check saw.
type Summary struct {
	Records, Quarantined, Files, Bytes int64
	Ranges                             []Range
	Pending, Garbage, Faults           int64
}

// Range is the offsets that a partition's log covers.
type Range struct {
	Partition      int32
	First, End     int64
	Entries, Files int64
	Records        int64
}

// Check re-reads everything.
func Check(ctx context.Context, b blob.Bucket, topic string, fn func(Fault)) (Summary, error) {
	panic("api")
}

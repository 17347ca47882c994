package journal

import "fmt"

// Kind says what an entry reports. The numbers are the Avro enum's and never change; new kinds go to the end.
type Kind uint8

const (
	// Late: an event was late for all its windows. One entry an event.
	Late Kind = iota
	// Missed: an event was late for one output's window and aggregated in another's. One entry an output.
	Missed
	// Invalid: an event could not be decoded, or an expression failed on it.
	Invalid
	// Born: a task of this fingerprint begins at the cut, with empty state.
	Born
	// Idle: a silent partition's watermark was raised at the cut.
	Idle
	// End: the input was declared over at the cut, and the watermark raised to close what was open.
	End
	// Change: other code, settings or partition counts are in force from the cut on. The task begins anew there, with
	// empty state, and with a watermark that leaves what was open to the reconciler.
	Change

	kinds // how many there are
)

var kindNames = [kinds]string{"LATE", "MISSED", "INVALID", "BORN", "IDLE", "END", "CHANGE"}

// String is the kind's name as the Avro enum has it.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Decision reports whether entries of the kind are decisions (law L5), as against places of events.
func (k Kind) Decision() bool { return k >= Born && k < kinds }

// NoTime is Entry.Time when there is none: 0001-01-01T00:00:00Z in milliseconds since the epoch, the earliest event
// time that the lake accepts.
const NoTime = -62135596800000

// Entry is one record of the journal.
type Entry struct {
	Kind Kind
	// Seq numbers a task's decisions from 1. It is 0 for places of events.
	Seq int64
	// Time, in milliseconds since the epoch UTC, is the event's time; for decisions it is the watermark set. NoTime
	// when there is none, as for bytes that don't decode.
	Time int64
	// Task is the number of the task that wrote the entry, and of the journal's partition.
	Task int32
	// Topic and Partition name a source partition: the event's, or the one that the decision is about.
	Topic     string
	Partition int32
	// Offset is the event's place; for decisions it is the cut, that is, the next offset at which it holds.
	Offset int64
	// Output names the output whose window was missed. Empty (null in Avro) if the entry is about no single output.
	Output string
	// Reason is a short stable slug or an operator's words. Empty if the kind says it all.
	Reason string
	// Fingerprint is that of the pipeline which wrote the entry.
	Fingerprint string
	// Watermark, in milliseconds since the epoch UTC, is for decisions what the partition's watermark becomes, and
	// for late and missed events what it was when the event was judged. It means nothing unless HasWatermark.
	Watermark    int64
	HasWatermark bool
	// TopicID is the source topic's id, by which a topic that was deleted and made anew is told from the old one.
	TopicID string
	// Partitions is the source topic's number of partitions, as known to the writer.
	Partitions int32
}

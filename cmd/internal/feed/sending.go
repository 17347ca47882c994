package feed

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// What may be on its way before the feed waits for the broker: a failure is then known to lie among these lines.
const (
	pendingRecordsMax = 10_000
	pendingBytesMax   = 16 << 20
)

// unsent is the offset of a record that the broker has not acknowledged; the client keeps it so when it fails.
const unsent = -1

// pending is a record that was handed to the producer, and its line.
type pending struct {
	line   int64
	record *kafka.Record
}

// SendError says which line the broker didn't take, and how to go on.
type SendError struct {
	Name, Topic string
	Line        int64 // the first line that was not acknowledged
	Sent        int64 // records sent before it
	// Last is the last line that was handed over when the feed ended without knowing what became of lines Line to
	// Last; 0 when every outcome is known.
	Last int64
	// After is how many records behind Line are in the topic all the same.
	After int64
	// Failed is how many records failed. The brokers refuse whole batches: LargestLine and LargestBytes are of the
	// largest, which may be what they refused.
	Failed, LargestLine int64
	LargestBytes        int
	Err                 error
}

func (e *SendError) Error() string {
	if e.Last > 0 {
		return fmt.Sprintf("%s, at or before line %d: send to topic %s: %v; records sent before line %d: %d, later ones may have been; go on with --from-line %d",
			e.Name, e.Last, e.Topic, e.Err, e.Line, e.Sent, e.Line)
	}
	text := fmt.Sprintf("%s, line %d: send to topic %s: %v (%d bytes)", e.Name, e.Line, e.Topic, e.Err, e.LargestBytes)
	if e.Failed > 1 {
		text = fmt.Sprintf("%s, line %d: send to topic %s: %v (%d records failed, the largest is line %d with %d bytes)",
			e.Name, e.Line, e.Topic, e.Err, e.Failed, e.LargestLine, e.LargestBytes)
	}
	text += fmt.Sprintf("; records sent before it: %d; see to the cause and go on with --from-line %d", e.Sent, e.Line)
	if e.After > 0 {
		text += fmt.Sprintf(", which sends again what went out behind it: %d", e.After)
	}
	return text
}

func (e *SendError) Unwrap() error { return e.Err }

func (f *feeder) send(ctx context.Context, r *kafka.Record) error {
	r.Offset = unsent
	f.pending = append(f.pending, pending{f.line, r})
	f.pendingBytes += len(r.Key) + len(r.Value)
	if err := f.producer.Produce(ctx, r); err != nil {
		return &SendError{Err: err}
	}
	if f.first[r.Partition] == nil {
		f.first[r.Partition] = r
	}
	f.last[r.Partition] = r
	f.sent[r.Partition]++
	f.total++
	if len(f.pending) < pendingRecordsMax && f.pendingBytes < pendingBytesMax {
		return nil
	}
	if err := f.producer.Flush(ctx); err != nil {
		return &SendError{Err: err}
	}
	f.confirmed += int64(len(f.pending))
	clear(f.pending)
	f.pending, f.pendingBytes = f.pending[:0], 0
	return nil
}

// sendError finds what became of the lines that were on their way. It is called when the producer is flushed, or could
// not be: then nobody knows.
func (f *feeder) sendError(cause error) error {
	e := &SendError{Name: f.o.Name, Topic: f.o.Topic, Sent: f.confirmed, Line: f.line, Err: cause}
	if len(f.pending) > 0 {
		e.Line = f.pending[0].line
	}
	if errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
		e.Last = f.line // not settled: the client may still write to the records
		return e
	}
	for _, p := range f.pending {
		switch {
		case p.record.Offset != unsent && e.Failed == 0:
			e.Sent++
		case p.record.Offset != unsent:
			e.After++
		default:
			if e.Failed++; e.Failed == 1 {
				e.Line = p.line
			}
			if bytes := len(p.record.Key) + len(p.record.Value); bytes > e.LargestBytes {
				e.LargestLine, e.LargestBytes = p.line, bytes
			}
		}
	}
	if e.Failed == 0 {
		e.Last = f.line // it failed, and no record says which: all of them again
		e.Sent = f.confirmed
	}
	return e
}

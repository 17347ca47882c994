package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// gap is a part of an input that is read once more: [from, to). It is read from Kafka as far as Kafka still has it, and
// from the raw lake before that. Every record below the topic's beginning comes from the lake and every later one may come
// from either, so the change from one to the other happens where an entry of the lake's log ends: each record is in
// exactly one of the two parts, whatever markers and aborted records lie around. Retention may go on meanwhile; what it takes
// is then read from the lake, too.
type gap struct {
	r    *runner
	task int32
	life int64 // of the task
	in   *input
	to   int64
}

var errEnough = errors.New("no more records are wanted")

// records are what an input holds from its position up to an offset, read as they are asked for.
func (r *runner) records(ctx context.Context, t *task, in *input, to int64) iter.Seq2[*kafka.Record, error] {
	g := &gap{r: r, task: t.id, life: t.life, in: in, to: to}
	from := in.next
	return func(yield func(*kafka.Record, error) bool) {
		if err := g.read(ctx, from, yield); err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// read passes on the records of [position, to).
func (g *gap) read(ctx context.Context, position int64, yield func(*kafka.Record, error) bool) error {
	for position < g.to {
		err := kafka.ReadRange(ctx, g.r.o.Kafka, g.in.topic, g.task, position, g.to, func(rec *kafka.Record) error {
			if !yield(rec, nil) {
				return errEnough
			}
			position = rec.Offset + 1
			return nil
		})
		if err == nil || !errors.Is(err, kafka.ErrOutOfRange) {
			return err
		}
		ends, asked := g.r.admin.Offsets(ctx, g.in.topic)
		switch {
		case asked != nil:
			return fmt.Errorf("offsets of %s: %w", g.in.topic, asked)
		case position >= ends[g.task].Start:
			return err
		}
		if position, err = g.fromLake(ctx, position, ends[g.task].Start, yield); err != nil {
			return err
		}
		crashpoint.Hit("replay/switched")
	}
	return nil
}

// fromLake passes on the records of whole entries of the lake's log, until Kafka, which begins at start, can go on. It
// returns the offset at which it does.
func (g *gap) fromLake(ctx context.Context, position, start int64, yield func(*kafka.Record, error) bool) (int64, error) {
	entries, err := g.covered(ctx, position, start)
	if err != nil {
		return position, err
	}
	wrapper, err := g.r.o.Plan.Sources[g.in.number].Source.Wrapper()
	if err != nil {
		return position, fmt.Errorf("values of %s in the lake: %w", g.in.topic, err)
	}
	for _, e := range entries {
		if position >= min(start, g.to) {
			break
		}
		g.r.restores.from(g.task, FromLake)
		g.r.log.Info("replaying from the lake", "topic", g.in.topic, "partition", g.task, "from", position, "to", min(e.End, g.to))
		err := lake.ReadEntry(ctx, g.r.o.Bucket, e, position, func(s *lake.Stored) error {
			if s.Offset >= g.to {
				return errEnough
			}
			rec, err := recordOf(g.in.topic, s, wrapper)
			if err == nil && !yield(rec, nil) {
				return errStopped
			}
			return err
		})
		if err != nil && !errors.Is(err, errEnough) {
			if errors.Is(err, errStopped) {
				err = errEnough
			}
			return position, err
		}
		position = min(e.End, g.to)
		crashpoint.Hit("replay/lake-entry")
	}
	return position, nil
}

var errStopped = errors.New("the reader has stopped")

// covered returns the entries of the lake's log that hold [position, start), or what is missing: an error that stops the task.
func (g *gap) covered(ctx context.Context, position, start int64) ([]lake.Entry, error) {
	where := fmt.Sprintf("%s/%d", g.in.topic, g.task)
	need := min(start, g.to)
	topic := g.r.sources[g.in.number].lake
	if topic == nil {
		return nil, g.r.wanting(g.task, &StopError{Where: where,
			What: fmt.Sprintf("the state is at offset %d, the topic begins at %d: what was forwarded between is gone", position, start),
			Fix: "the topic is only purged behind checkpoints: restore the newest ones if they were deleted; or `tidemark change -f FILE --restart --reason TEXT`: " +
				"all tasks begin anew where they stand, and the reconciler recomputes what was open"})
	}
	log := topic.Lake.Log(g.task)
	if err := log.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("lake log of %s: %w", where, err)
	}
	missing := ""
	switch {
	case !log.Begun():
		missing = fmt.Sprintf("offsets %d to %d are needed, the topic begins at %d and nothing of it is in the lake", position, need-1, start)
	case log.Start() > position:
		missing = fmt.Sprintf("offsets %d to %d are needed, the topic begins at %d and the lake at %d", position, min(need, log.Start())-1, start, log.Start())
	case log.End() < need:
		missing = fmt.Sprintf("offsets %d to %d are needed, the lake ends at %d and the topic begins at %d", max(position, log.End()), need-1, log.End(), start)
	}
	if missing != "" {
		return nil, &StopError{Where: where, What: missing + ": retention has passed what the task must read",
			Fix: "is it the right bucket? Restore the lake or a newer checkpoint, or raise the topic's retention and give the pipeline a new name to start over"}
	}
	entries := log.Entries()
	for len(entries) > 0 && entries[0].End <= position {
		entries = entries[1:]
	}
	for i := range entries {
		if entries[i].First >= need {
			break
		}
		if err := g.given(&entries[i]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// given refuses a range that was given up, but for one that the task's own decision has accepted before or at the beginning of
// this life: what was read of it then is not known, so the state could not be what it was.
func (g *gap) given(e *lake.Entry) error {
	up := e.GivenUp
	if up == nil || up.Pipeline == g.r.o.Plan.Pipeline.Name && up.Decision <= g.life {
		return nil
	}
	return &StopError{Where: fmt.Sprintf("%s/%d", g.in.topic, g.task),
		What: fmt.Sprintf("offsets %d to %d are needed, and the lake does not have them: order %d of pipeline %s gave them up (%s)", e.First, e.End-1, up.Order, up.Pipeline, up.Reason),
		Fix:  "restore a newer checkpoint, or give the pipeline a new name to start over"}
}

// recordOf is a stored record as the topic had it. Its leader epoch isn't known any more.
func recordOf(topic string, s *lake.Stored, wrapper *schema.Wrapper) (*kafka.Record, error) {
	rec := &kafka.Record{
		Topic: topic, Partition: s.Partition, Offset: s.Offset, Timestamp: time.UnixMilli(s.Timestamp),
		LeaderEpoch: -1, Key: bytes.Clone(s.Key), Value: bytes.Clone(s.Payload),
	}
	for _, h := range s.Headers {
		rec.Headers = append(rec.Headers, kafka.Header{Key: h.Key, Value: bytes.Clone(h.Value)})
	}
	if s.Reason != "" {
		return rec, nil // in quarantine: the value as it came
	}
	var err error
	if rec.Value, err = wrapper.Append([]byte{}, s.SchemaID, s.Payload); err != nil {
		return nil, fmt.Errorf("%s/%d@%d in the lake: %w", topic, s.Partition, s.Offset, err)
	}
	return rec, nil
}

package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// runOn runs two processes for ever, until what both report together satisfies done.
func (s *shape) runOn(done func(tasks map[int32]stream.TaskStatus) bool) {
	s.TB.Helper()
	ctx, cancel := context.WithTimeout(s.TB.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	tasks := map[int32]stream.TaskStatus{}
	satisfied := false
	observe := func(st stream.Status) {
		mu.Lock()
		defer mu.Unlock()
		for _, t := range st.Tasks {
			if t.State != stream.Restoring { // one that is restored has nothing to tell yet
				tasks[t.Task] = t
			}
		}
		if !satisfied && len(tasks) == trial.ShapeWidth && done(tasks) {
			satisfied = true
			cancel()
		}
	}
	var wg sync.WaitGroup
	for _, id := range []string{"a", "b"} {
		wg.Go(func() {
			_, err := stream.Run(ctx, stream.Options{
				Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, ID: id, Now: time.Now, PollRecordsMax: 100, RetryFor: 30 * time.Second, Observe: observe,
			})
			if !errors.Is(err, context.Canceled) {
				s.TB.Errorf("process %s: %v", id, err)
			}
		})
	}
	wg.Wait()
	if !satisfied {
		s.TB.Fatalf("it didn't come to that: %+v", tasks)
	}
}

func open(tasks map[int32]stream.TaskStatus) (closed, open int64) {
	for _, t := range tasks {
		for _, o := range t.Counters.Outputs {
			closed, open = closed+o.Closed, open+o.Open
		}
	}
	return closed, open
}

// When all is silent, all that is open closes: also what waits behind a repartition topic, in another process than the one
// that decides, and what a join holds. A bounded run has nothing to add then, and the results are the batch's.
func TestShapesCloseWhenSilent(t *testing.T) {
	for _, name := range []string{"rekeyed", "enriched", "cogroup"} {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, fakeBroker(t), name)
			for i := range s.Plan.Sources {
				s.Plan.Sources[i].Spec.Watermark.CloseWhenIdle = 2 * time.Second
			}
			s.Generate(21, 300)
			s.Produce(0, len(s.Sent))
			s.runOn(func(tasks map[int32]stream.TaskStatus) bool {
				consumed, level := int64(0), true
				for _, t := range tasks {
					consumed += t.Counters.Consumed
					level = level && t.Watermark == tasks[0].Watermark // decided, for all the same
				}
				closed, open := open(tasks)
				return consumed == int64(len(s.Sent)) && level && closed > 0 && open == 0
			})
			before := 0
			for i := range s.Plan.Outputs {
				got, _ := s.Folded(i)
				before += len(got)
			}
			s.RunBoth()
			after := 0
			for i := range s.Plan.Outputs {
				got, _ := s.Folded(i)
				after += len(got)
			}
			if before != after {
				t.Errorf("a bounded run published %d windows more", after-before)
			}
			s.Judge(len(s.Sent))
		})
	}
}

// However little a source's watermark has advanced since the last marker, those behind the repartition topic learn of it when
// nothing more comes: else results would wait for the next event.
func TestLastMarkerIsSent(t *testing.T) {
	s := newShape(t, fakeBroker(t), "rekeyed")
	const began = int64(1_362_880_000_000)
	for i := range 6 * trial.ShapeWidth { // the last of each partition 10 s ahead, less than is worth a marker
		text := fmt.Sprintf(`{"id":"e%d","user":"u","page":null,"at":%d,"ms":1}`, i, began+min(int64(i/trial.ShapeWidth), 4)*60_000+int64(i/trial.ShapeWidth/5)*10_000)
		s.Sent = append(s.Sent, trial.Sent{Source: 0, Partition: int32(i % trial.ShapeWidth), Value: []byte(text)})
	}
	s.Produce(0, 5*trial.ShapeWidth)
	first, behind := true, false
	s.runOn(func(tasks map[int32]stream.TaskStatus) bool {
		consumed := int64(0)
		low, received := tasks[0].Inputs[0].Watermark, tasks[0].Inputs[1].Watermark
		for _, t := range tasks {
			consumed += t.Counters.Consumed
			low, received = min(low, t.Inputs[0].Watermark), min(received, t.Inputs[1].Watermark)
		}
		if first && consumed == 5*trial.ShapeWidth && received == low {
			first = false
			s.Produce(5*trial.ShapeWidth, 6*trial.ShapeWidth)
		}
		behind = behind || low > received
		return consumed == int64(len(s.Sent)) && low == began+250_000-30_000 && received == low
	})
	if !behind {
		t.Error("nothing had to be waited for")
	}
}

// A source that is silent in all of its partitions, which two processes have between them, doesn't hold back one that goes on:
// each process raises its own, although the other knows of it by checkpoints alone.
func TestSilentSourceDoesNotHoldBack(t *testing.T) {
	s := newShape(t, fakeBroker(t), "cogroup")
	for i := range s.Plan.Sources {
		s.Plan.Sources[i].Spec.Watermark.IdleAfter = time.Second
	}
	const began, minutes = int64(1_362_880_000_000), 400
	for i := range minutes * 3 {
		user := fmt.Sprint("u", i%12)
		text := fmt.Sprintf(`{"id":"e%d","user":%q,"page":null,"at":%d,"ms":1}`, i, user, began+int64(i/3)*60_000)
		s.Sent = append(s.Sent, trial.Sent{Source: 0, Partition: curated.Partition([]byte(user), trial.ShapeWidth), Value: []byte(text)})
	}
	first := []trial.Sent{}
	for i := range 12 { // one of each user, in the source that is silent then
		first = append(first, trial.Sent{Source: 1, Partition: s.Sent[i].Partition, Value: s.Sent[i].Value})
	}
	s.Sent = append(first, s.Sent...)
	s.Produce(0, 60)
	var producing sync.WaitGroup
	producing.Go(func() { s.Trickle(60, 8*time.Second) })
	s.runOn(func(tasks map[int32]stream.TaskStatus) bool {
		consumed, all := int64(0), true
		for id, t := range tasks {
			closed, _ := open(map[int32]stream.TaskStatus{id: t})
			consumed, all = consumed+t.Counters.Consumed, all && closed > 0
		}
		return all && consumed < int64(len(s.Sent))-100 // and not because the other is silent by now, too
	})
	producing.Wait()
}

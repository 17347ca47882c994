package streamtest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
)

// runOn runs two processes for ever, until what both report together satisfies done.
func (s *shape) runOn(done func(tasks map[int32]stream.TaskStatus) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	tasks := map[int32]stream.TaskStatus{}
	satisfied := false
	observe := func(st stream.Status) {
		mu.Lock()
		defer mu.Unlock()
		for _, t := range st.Tasks {
			tasks[t.Task] = t
		}
		if !satisfied && len(tasks) == shapeWidth && done(tasks) {
			satisfied = true
			cancel()
		}
	}
	var wg sync.WaitGroup
	for _, id := range []string{"a", "b"} {
		wg.Go(func() {
			_, err := stream.Run(ctx, stream.Options{
				Plan: s.plan, Kafka: s.kafka, Bucket: s.bucket, ID: id, Now: time.Now, PollRecordsMax: 100, RetryFor: 30 * time.Second, Observe: observe,
			})
			if !errors.Is(err, context.Canceled) {
				s.t.Errorf("process %s: %v", id, err)
			}
		})
	}
	wg.Wait()
	if !satisfied {
		s.t.Fatalf("it didn't come to that: %+v", tasks)
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
			for i := range s.plan.Sources {
				s.plan.Sources[i].Spec.Watermark.CloseWhenIdle = 2 * time.Second
			}
			s.generate(21, 300)
			s.produce(0, len(s.sent))
			s.runOn(func(tasks map[int32]stream.TaskStatus) bool {
				consumed, level := int64(0), true
				for _, t := range tasks {
					consumed += t.Counters.Consumed
					level = level && t.Watermark == tasks[0].Watermark // decided, for all the same
				}
				closed, open := open(tasks)
				return consumed == int64(len(s.sent)) && level && closed > 0 && open == 0
			})
			before := 0
			for i := range s.plan.Outputs {
				got, _ := s.published(i)
				before += len(got)
			}
			s.runBoth()
			after := 0
			for i := range s.plan.Outputs {
				got, _ := s.published(i)
				after += len(got)
			}
			if before != after {
				t.Errorf("a bounded run published %d windows more", after-before)
			}
			s.reconcile()
			for i, want := range s.truth() {
				got, _ := s.published(i)
				s.equal(s.plan.Outputs[i].Name, want, got)
			}
		})
	}
}

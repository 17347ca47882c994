package streamtest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// runUntil runs the pipeline for ever, until what it reports satisfies done, then stops it in an orderly way.
func (w *world) runUntil(done func(stream.Status) bool) {
	w.TB.Helper()
	ctx, cancel := cancelable(w.TB)
	defer cancel()
	satisfied := false
	o := w.Options("a")
	o.UntilEnd = false
	o.Observe = func(s stream.Status) {
		if !satisfied && done(s) {
			satisfied = true
			cancel()
		}
	}
	if _, err := stream.Run(ctx, o); !satisfied {
		w.TB.Fatalf("the run ended before it got there: %v", err)
	}
}

func closed(s stream.Status) (n, open int64) {
	for _, task := range s.Tasks {
		for _, o := range task.Counters.Outputs {
			n, open = n+o.Closed, open+o.Open
		}
	}
	return n, open
}

// decisions reads the journal's decisions of one kind.
func (w *world) decisions(kind journal.Kind) (found []journal.Entry) {
	w.TB.Helper()
	w.Each("orders-journal", func(r *kafka.Record) {
		e, err := journal.Decode(r.Value)
		if err != nil {
			w.TB.Fatal(err)
		}
		if e.Kind == kind {
			found = append(found, e)
		}
	})
	return found
}

// When all partitions are silent for close_when_idle, a journalled decision closes what is open, the empty partition
// takes part, and a restart without any disk comes to the same state by replaying log and decisions.
func TestAllSilentCloses(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Plan.Pipeline.Source.Watermark.CloseWhenIdle = time.Second
	log := streamtest.Profile{Seed: 31, Events: 300, Customers: 2}.Log() // two customers: some partition stays empty
	w.Produce(log)
	w.runUntil(func(s stream.Status) bool {
		n, open := closed(s)
		return n > 0 && open == 0 && len(s.Tasks) == 4
	})
	idle := w.decisions(journal.Idle)
	if len(idle) != 4 {
		t.Fatalf("%d idle decisions, want one of each partition: %+v", len(idle), idle)
	}
	for _, e := range idle {
		if e.Watermark != idle[0].Watermark {
			t.Errorf("partitions were raised to different times: %+v", idle)
		}
	}
	before := w.Published()
	w.LoseDisk()
	if sum := w.Stream(); sum.Counters.Consumed != int64(len(log)) {
		t.Errorf("after a replay: %+v", sum.Counters)
	}
	if !trial.SameHistory(before, w.Published()) {
		t.Error("the replay published")
	}
	proveCorrected(t, w, log, false)
}

// A silent partition's windows close when its active siblings have passed them; records that come later are late, are
// landed, and are corrected.
func TestSilentPartitionFollowsItsSiblings(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Plan.Pipeline.Source.Watermark.IdleAfter = 500 * time.Millisecond
	early := streamtest.Profile{Seed: 32, Events: 200, Customers: 8}.Log()
	w.Produce(early)
	quiet := w.Partition(early[0].Key)

	// Its siblings go on, event time far beyond what the quiet partition has open.
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int)
	later := streamtest.Profile{Seed: 33, Events: 4000, Customers: 8, Gaps: 1}.Log()
	go func() {
		sent := 0
		for _, m := range later {
			if ctx.Err() != nil {
				break
			}
			if w.Partition(m.Key) != quiet {
				w.Produce([]streamtest.Message{m})
				sent++
			}
		}
		done <- sent
	}()
	w.runUntil(func(s stream.Status) bool {
		for _, task := range s.Tasks {
			if task.Task == quiet {
				return task.Counters.Outputs[0].Closed > 0 && task.Counters.Outputs[0].Open == 0
			}
		}
		return false
	})
	stop()
	<-done
	idle := w.decisions(journal.Idle)
	if !slices.ContainsFunc(idle, func(e journal.Entry) bool { return e.Partition == quiet }) {
		t.Fatalf("idle decisions: %+v, want the quiet partition's, %d", idle, quiet)
	}
}

// A run to the end ends where the end was when it began, although records keep coming.
func TestUntilEndWhileRecordsKeepComing(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := small(34).Log()
	w.Produce(log[:50])
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		sent := 50
		for ; ctx.Err() == nil && sent < len(log); sent++ {
			w.Produce(log[sent : sent+1])
		}
		for ctx.Err() == nil { // and on and on: copies of the last one, for every partition
			for _, m := range log[:20] {
				w.Produce([]streamtest.Message{m})
				log = append(log, m)
			}
			sent = len(log)
		}
		done <- sent
	}()
	first := w.Stream()
	stop()
	sent := <-done
	if first.Counters.Consumed < 50 || first.Counters.Consumed >= int64(sent) {
		t.Errorf("consumed %d of %d", first.Counters.Consumed, sent)
	}
	if sum := w.Stream(); sum.Counters.Consumed != int64(sent) {
		t.Errorf("the next run consumed %d of %d", sum.Counters.Consumed, sent)
	}
	w.CheckLake("orders", int64(sent))
	proveCorrected(t, w, log[:sent], false)
}

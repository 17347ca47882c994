package streamtest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
)

// A task that would open more windows than state.open_max stops just before that event: nothing of it is counted, what
// was committed stays, and with a higher limit it goes on to the truth.
func TestOpenMaxStopsItsTask(t *testing.T) {
	s := newShape(t, fakeBroker(t), "sessions")
	s.Generate(3, 400)
	s.Produce(0, len(s.Sent))
	s.Plan.Pipeline.State.OpenMax = 2
	_, err := s.Run("a")
	var stopped *stream.StoppedError
	if !errors.As(err, &stopped) {
		t.Fatalf("run: %v; want a stopped task", err)
	}
	if text := err.Error(); !strings.Contains(text, "state.open_max") || !strings.Contains(text, "clicks/") {
		t.Errorf("%s: it doesn't say where and what to do", text)
	}
	s.Plan.Pipeline.State.OpenMax = 1000
	sum, err := s.Run("a")
	must(t, err)
	if !sum.Balanced() || sum.Counters.Consumed != int64(len(s.Sent)) {
		t.Errorf("%d records: %+v", len(s.Sent), sum.Counters)
	}
	s.Judge(len(s.Sent))
}

// What closing a task's windows comes to stops that task alone, too: an enrichment's events enter their windows then.
func TestOpenMaxAtClose(t *testing.T) {
	s := newShape(t, fakeBroker(t), "enriched")
	s.Generate(3, 400)
	s.Produce(0, len(s.Sent))
	s.Plan.Pipeline.State.OpenMax = 1
	began := time.Now()
	_, err := s.Run("a")
	var stopped *stream.StoppedError
	if !errors.As(err, &stopped) || !strings.Contains(err.Error(), "state.open_max") {
		t.Fatalf("run, for %s: %v; want a stopped task", time.Since(began), err)
	}
	s.Plan.Pipeline.State.OpenMax = 1000
	sum, err := s.Run("a")
	must(t, err)
	if !sum.Balanced() || sum.Counters.Consumed != int64(len(s.Sent)) {
		t.Errorf("%d records: %+v", len(s.Sent), sum.Counters)
	}
	s.Judge(len(s.Sent))
}

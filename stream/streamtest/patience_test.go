package streamtest_test

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// stubborn is a disk on which the copy that a checkpoint is made of can't be made, so many times.
type stubborn struct {
	state.FS
	times atomic.Int64
}

func (s *stubborn) MkdirAll(name string, mode os.FileMode) error {
	if strings.HasSuffix(name, ".checkpoint") && s.times.Add(-1) >= 0 {
		return errors.New("input/output error")
	}
	return s.FS.MkdirAll(name, mode)
}

// A checkpoint that can't be made ends the process after RetryFor, although each session commits before it; until then sessions are
// built more and more seldom.
func TestRetriesOfOneStepEnd(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(5).Log())
	disk := &stubborn{FS: statetest.NewMem()}
	disk.times.Store(1 << 40)
	o := w.Options("a")
	o.StateFS, o.RetryFor = disk, 2*time.Second
	s := w.begin(o)
	defer s.cancel()
	for i := range 1000 { // there is always something to commit
		select {
		case err := <-s.ended:
			if err == nil || !strings.Contains(err.Error(), "input/output error") {
				t.Fatalf("ended with %v", err)
			}
			if last := s.last.Load(); last.Rebuilds > 12 || last.Commits["committed"] == 0 {
				t.Errorf("%d rebuilds, commits %v", last.Rebuilds, last.Commits)
			}
			return
		case <-expired(t, 20*time.Millisecond):
			w.Produce(small(uint64(100 + i)).Log()[:4])
		}
	}
	t.Errorf("RetryFor is 2 s; after 20 s and %d rebuilds it still tried", s.last.Load().Rebuilds)
}

// The same fault, if it passes, ends nothing.
func TestRetriesOfOneStepGoOn(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := small(5).Log()
	w.Produce(log)
	disk := &stubborn{FS: statetest.NewMem()}
	disk.times.Store(5)
	o := w.Options("a")
	o.StateFS, o.RetryFor = disk, time.Minute
	ctx, cancel := cancelable(t)
	defer cancel()
	sum, err := stream.Run(ctx, o)
	if err != nil || !sum.Balanced() || sum.Counters.Consumed != int64(len(log)) {
		t.Fatalf("%+v, %v", sum, err)
	}
	w.Judge(log)
}

package rough_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// supervisor keeps one process of a pipeline alive, as systemd or Kubernetes does: one that ends by itself must say that the
// same may well succeed a little later, and is started again.
type supervisor struct {
	w        *world
	id       string
	mu       sync.Mutex
	p        *process
	end      context.CancelFunc
	done     chan struct{}
	restarts atomic.Int64
}

// exitTryAgain is the program's code for what passes.
const exitTryAgain = 5

func (w *world) supervise(id string) *supervisor {
	w.TB.Helper()
	ctx, end := context.WithCancel(context.Background())
	s := &supervisor{w: w, id: id, p: w.start(id), end: end, done: make(chan struct{})}
	go s.watch(ctx)
	w.TB.Cleanup(func() { end(); <-s.done })
	return s
}

func (s *supervisor) watch(ctx context.Context) {
	defer close(s.done)
	for {
		p := s.process()
		select {
		case <-ctx.Done():
			return
		case <-p.done:
		}
		if code := p.cmd.ProcessState.ExitCode(); !slices.Contains([]int{-1, exitTryAgain}, code) {
			s.w.TB.Errorf("%s ended with %d by itself\n%s", s.id, code, p.tail())
		}
		s.restarts.Add(1)
		rest(ctx, restartPause)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.p = s.w.start(s.id)
		s.mu.Unlock()
	}
}

func (s *supervisor) process() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p
}

// close ends the supervision, and the process in an orderly way.
func (s *supervisor) close() {
	s.w.TB.Helper()
	s.end()
	<-s.done
	s.process().term()
}

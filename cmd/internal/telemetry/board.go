package telemetry

import (
	"maps"
	"slices"
	"sync"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
	"github.com/tidemark-io/tidemark/stream"
)

// Board holds the newest snapshot of a run. It is safe for concurrent use.
type Board struct {
	mu     sync.Mutex
	status *stream.Status
	broken int64 // transactions confirmed when a session was last seen to have ended in an error
	tasks  int   // of the pipeline; 0 when not known
}

// Observe keeps a copy of the snapshot. It is meant for stream.Options.Observe.
func (b *Board) Observe(s stream.Status) {
	s.Commits = maps.Clone(s.Commits)
	s.Tasks = slices.Clone(s.Tasks)
	for i := range s.Tasks {
		t := &s.Tasks[i]
		t.Inputs, t.Counters.Outputs, t.Counters.Rules = slices.Clone(t.Inputs), slices.Clone(t.Counters.Outputs), slices.Clone(t.Counters.Rules)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.status == nil || s.Rebuilds != b.status.Rebuilds || s.LastError != b.status.LastError {
		b.broken = s.Commits["committed"]
	}
	b.status = &s
}

// SetTasks tells how many tasks the pipeline has, of which this process may have some.
func (b *Board) SetTasks(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks = n
}

// Tasks is how many tasks the pipeline has; 0 when nobody has told.
func (b *Board) Tasks() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tasks
}

// Document is the newest snapshot as people read it, nil before the first.
func (b *Board) Document() *status.Document {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.status == nil {
		return nil
	}
	d := status.FromStream(b.status)
	d.TasksTotal = b.tasks
	d.Recovered = d.LastError != "" && b.status.Commits["committed"] > b.broken
	return d
}

// Status is the newest snapshot, nil before the first. The caller must not change it.
func (b *Board) Status() *stream.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

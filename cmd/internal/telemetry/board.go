package telemetry

import (
	"maps"
	"slices"
	"sync"

	"github.com/tidemark-io/tidemark/stream"
)

// Board holds the newest snapshot of a run. It is safe for concurrent use.
type Board struct {
	mu     sync.Mutex
	status *stream.Status
}

// Observe keeps a copy of the snapshot. It is meant for stream.Options.Observe.
func (b *Board) Observe(s stream.Status) {
	s.Commits = maps.Clone(s.Commits)
	s.Tasks = slices.Clone(s.Tasks)
	for i := range s.Tasks {
		s.Tasks[i].Counters.Outputs = slices.Clone(s.Tasks[i].Counters.Outputs)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = &s
}

// Status is the newest snapshot, nil before the first. The caller must not change it.
func (b *Board) Status() *stream.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

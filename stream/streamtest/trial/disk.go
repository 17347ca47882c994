package trial

import (
	"os"
	"path/filepath"

	"github.com/tidemark-io/tidemark/state"
)

// LoseDisk removes the local state of every task, of every process or of those of the given ids.
func (s *Site) LoseDisk(ids ...string) {
	s.TB.Helper()
	if len(ids) == 0 {
		s.must(os.RemoveAll(filepath.Join(s.Dir, "state")))
	}
	for _, id := range ids {
		s.must(os.RemoveAll(filepath.Join(s.Dir, "state", s.Plan.Pipeline.Name, id)))
	}
}

// CorruptDisk flips bytes in the middle of every table of every task's local state.
func (s *Site) CorruptDisk() {
	s.TB.Helper()
	tables, err := filepath.Glob(filepath.Join(s.Dir, "state", s.Plan.Pipeline.Name, "*", "*", "*.sst"))
	if err != nil || len(tables) == 0 {
		s.TB.Fatalf("no state to corrupt: %v", err)
	}
	for _, name := range tables {
		bytes, err := os.ReadFile(name)
		s.must(err)
		for i := len(bytes) / 3; i < len(bytes)/2; i++ {
			bytes[i] ^= 0xff
		}
		s.must(os.WriteFile(name, bytes, 0o644))
	}
}

// CheckState lets the store look at every key of every task's local state.
func (s *Site) CheckState() {
	s.TB.Helper()
	dirs, err := filepath.Glob(filepath.Join(s.Dir, "state", s.Plan.Pipeline.Name, "*", "[0-9]"))
	s.must(err)
	shared, err := state.NewShared(state.SharedOptions{})
	s.must(err)
	for _, dir := range dirs {
		if err := state.Check(dir, shared, func(f state.Fault) { s.TB.Errorf("state %s: %+v", dir, f) }); err != nil {
			s.TB.Errorf("state %s: %v", dir, err)
		}
	}
	s.must(shared.Close())
	if len(dirs) == 0 {
		s.TB.Error("no state to check")
	}
}

package stream

import (
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Where the state of a restored task came from.
const (
	FromLocal      = "local"      // what lay on the disk, and what Kafka has since
	FromCheckpoint = "checkpoint" // fetched from the bucket, and what Kafka has since
	FromLake       = "lake"       // Kafka no longer had all of it: some records came from the raw lake
	FromTopic      = "topic"      // there was no state: everything since the task began, from Kafka
)

// Sources are all of them.
var Sources = [...]string{FromLocal, FromCheckpoint, FromLake, FromTopic}

// RestoreBounds are the upper bounds of RestoreTook. One more bucket holds what is beyond the last.
var RestoreBounds = [...]time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
	5 * time.Minute, 15 * time.Minute, time.Hour}

// RestoreStatus is how far a task is on its way to its committed cut: first the bytes of its state are fetched, if there
// is none on the disk, then the gap is replayed.
type RestoreStatus struct {
	Source        string    `json:"source"`
	Bytes         int64     `json:"bytes"` // on the disk by now
	BytesTotal    int64     `json:"bytes_total"`
	Replayed      int64     `json:"replayed"` // offsets of all inputs
	ReplayedTotal int64     `json:"replayed_total"`
	Began         time.Time `json:"began"`
	MovedAt       time.Time `json:"moved_at"` // when it last came on
}

// Percent of what is under way now: bytes, then offsets.
func (s *RestoreStatus) Percent() int {
	done, total := s.Bytes, s.BytesTotal
	if s.ReplayedTotal > 0 {
		done, total = s.Replayed, s.ReplayedTotal
	}
	if total <= 0 {
		return 0
	}
	return int(100 * float64(min(done, total)) / float64(total))
}

// RestoreTook counts restores that have ended well, by how long they took.
type RestoreTook struct {
	Took [len(RestoreBounds) + 1]int64 `json:"took"` // histogram over RestoreBounds
	Sum  time.Duration                 `json:"sum_ns"`
}

// restores are those under way, and what became of the others. It outlives sessions.
type restores struct {
	mu   sync.Mutex
	now  func() time.Time
	mine map[int32]*RestoreStatus
	took map[string]RestoreTook
}

func newRestores(now func() time.Time) *restores {
	return &restores{now: now, mine: map[int32]*RestoreStatus{}, took: map[string]RestoreTook{}}
}

// begin says that a task is on its way. Whoever begins ends.
func (b *restores) begin(id int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.mine[id] = &RestoreStatus{Source: FromLocal, Began: now, MovedAt: now}
}

// end says that a task is there, or that it never will be. A task that was born has restored nothing.
func (b *restores) end(id int32, there bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.mine[id]
	delete(b.mine, id)
	if s == nil || !there {
		return
	}
	took := b.now().Sub(s.Began)
	h := b.took[s.Source]
	h.Sum += took
	at := 0
	for at < len(RestoreBounds) && took > RestoreBounds[at] {
		at++
	}
	h.Took[at]++
	b.took[s.Source] = h
}

// come notes how far a task has come. One that is not restored, but begun anew, is nobody's concern.
func (b *restores) come(id int32, note func(*RestoreStatus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.mine[id]
	if s == nil {
		return
	}
	before := *s
	if note(s); *s != before {
		s.MovedAt = b.now()
	}
}

func (b *restores) from(id int32, source string) {
	b.come(id, func(s *RestoreStatus) { s.Source = source })
}

func (b *restores) fetched(id int32, done, total int64) {
	b.come(id, func(s *RestoreStatus) { s.Source, s.Bytes, s.BytesTotal = FromCheckpoint, done, total })
}

func (b *restores) replayed(id int32, done, total int64) {
	b.come(id, func(s *RestoreStatus) { s.Replayed, s.ReplayedTotal = done, total })
}

// tasks adds the tasks that are on their way to a snapshot, but for those that are there already.
func (b *restores) tasks(s *Status, there func(id int32) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Restores = make(map[string]RestoreTook, len(b.took))
	for source, h := range b.took {
		s.Restores[source] = h
	}
	for id, r := range b.mine {
		if there(id) {
			continue
		}
		now := *r
		s.Tasks = append(s.Tasks, TaskStatus{Task: id, State: Restoring, Restore: &now, Watermark: window.NoWatermark, OldestOpen: window.NoWatermark})
	}
}

// gapTo is how many offsets lie between a cut and what the task has committed since.
func (t *task) gapTo(cut state.Position) (gap int64) {
	for i, in := range t.inputs {
		if i < len(cut.Next) {
			gap += max(0, in.committed-cut.Next[i])
		}
	}
	return gap
}

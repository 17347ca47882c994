package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// CommitBounds are the upper bounds of Status.CommitTook. One more bucket holds what is beyond the last.
var CommitBounds = [...]time.Duration{5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 10 * time.Second}

// TaskState is what a task does now.
type TaskState string

const (
	Running TaskState = "RUNNING"
	// Restoring is on the way to the committed cut; Restore says how far.
	Restoring TaskState = "RESTORE"
	Idle      TaskState = "IDLE"    // nothing to read
	Paused    TaskState = "PAUSED"  // its records can't be stored; Err says why. It goes on by itself
	Stopped   TaskState = "STOPPED" // Err says why, and what to do
)

// Status is a snapshot of one process's part in a pipeline.
type Status struct {
	Pipeline    string       `json:"pipeline"`
	Fingerprint string       `json:"fingerprint"`
	ID          string       `json:"id"`
	Topic       string       `json:"topic"`
	At          time.Time    `json:"at"`
	Tasks       []TaskStatus `json:"tasks"`
	// Commits counts transactions by result: committed, fenced, unknown, failed.
	Commits      map[string]int64             `json:"commits"`
	CommitTook   [len(CommitBounds) + 1]int64 `json:"commit_took"` // histogram over CommitBounds
	CommitSum    time.Duration                `json:"commit_sum_ns"`
	LastCommitAt time.Time                    `json:"last_commit_at"`
	Rebuilds     int64                        `json:"rebuilds"` // sessions that ended in an error
	LastError    string                       `json:"last_error,omitempty"`
	LandingBytes int64                        `json:"landing_bytes"` // waiting in memory to be landed
	// Restores counts restores by where the state came from.
	Restores map[string]RestoreTook `json:"restores,omitempty"`
	// Memory is the parts of the budget that are counted, with what they hold.
	Memory []Part `json:"memory"`
	// BucketFailing is how the bucket has been failing, and since when; empty while it does what it is asked.
	BucketFailing string                         `json:"bucket_failing,omitempty"`
	BucketSince   time.Time                      `json:"bucket_since,omitzero"`
	Lateness      [len(LatenessBounds) + 1]int64 `json:"lateness"` // histogram over LatenessBounds
}

// TaskStatus is one task as of its last commit. Times are milliseconds since the epoch; watermarks are
// window.NoWatermark while there is none.
type TaskStatus struct {
	Task         int32            `json:"task"`
	State        TaskState        `json:"state"`
	Err          string           `json:"error,omitempty"`
	Restore      *RestoreStatus   `json:"restore,omitempty"` // of a task that is on its way
	Committed    int64            `json:"committed"`
	LastStable   int64            `json:"last_stable"`
	High         int64            `json:"high"`
	Watermark    int64            `json:"watermark"`
	Pending      int              `json:"pending"` // far-future events that wait to be confirmed
	Landed       int64            `json:"landed"`  // end of the lake log
	Counters     state.Counters   `json:"counters"`
	OldestOpen   int64            `json:"oldest_open"` // start of the oldest open window
	LastRecordAt int64            `json:"last_record_at"`
	StateBytes   int64            `json:"state_bytes"`
	MemoryBytes  int64            `json:"memory_bytes"`
	Checkpoint   CheckpointStatus `json:"checkpoint"`
	Buffered     int64            `json:"buffered,omitempty"` // events that a join holds
	// Life is the number of the change decision with which the task, and its counters, began anew; 0 since its birth.
	Life int64 `json:"life,omitempty"`
	// Inputs has one entry per topic that the task reads. Committed to Landed above are those of the first.
	Inputs []InputStatus `json:"inputs"`
}

// InputStatus is a task's part of one topic.
type InputStatus struct {
	Topic      string `json:"topic"`
	Committed  int64  `json:"committed"`
	LastStable int64  `json:"last_stable"`
	High       int64  `json:"high"`
	Watermark  int64  `json:"watermark"` // of the repartition topic: the lowest that its source partitions have sent
	Pending    int    `json:"pending"`
	Landed     int64  `json:"landed"`
	Consumed   int64  `json:"consumed"` // records: since the task was born if it has one input, else since it came to this process
	Silent     bool   `json:"silent"`   // nothing to read
	Internal   bool   `json:"internal"` // the repartition topic
	// Retention is how long the topic keeps records, by age; 0: for ever, or not known. Headroom is how much of that is
	// left to the oldest record that isn't in the lake: all of it if every one is.
	Retention time.Duration `json:"retention_ns,omitempty"`
	Headroom  time.Duration `json:"headroom_ns,omitempty"`
}

// CheckpointStatus is a task's last checkpoint by this process. At is zero when there was none yet.
type CheckpointStatus struct {
	At            time.Time     `json:"at"`
	Next          int64         `json:"next"` // offset at which it stands
	Gap           int64         `json:"gap"`  // offsets of all inputs that a crash now would replay
	Took          time.Duration `json:"took_ns"`
	Bytes         int64         `json:"bytes"`
	BytesUploaded int64         `json:"bytes_uploaded"` // since the process started
}

// statusBoard gathers what the snapshot needs beyond the tasks themselves. It outlives sessions.
type statusBoard struct {
	mu          sync.Mutex
	commits     map[string]int64
	took        [len(CommitBounds) + 1]int64
	sum         time.Duration
	at          time.Time
	rebuilds    int64
	lastError   string
	checkpoints map[int32]CheckpointStatus
	cuts        map[int32]state.Position
}

func (b *statusBoard) committed(at time.Time, took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.commits == nil {
		b.commits = map[string]int64{}
	}
	result := "committed"
	switch {
	case errors.Is(err, kafka.ErrFenced), errors.Is(err, kafka.ErrInstanceFenced):
		result = "fenced"
	case errors.Is(err, kafka.ErrUnknownOutcome):
		result = "unknown"
	case err != nil:
		result = "failed"
	default:
		b.at = at
	}
	b.commits[result]++
	b.sum += took
	for i, bound := range CommitBounds {
		if took <= bound {
			b.took[i]++
			return
		}
	}
	b.took[len(CommitBounds)]++
}

func (b *statusBoard) broken(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rebuilds++
	b.lastError = err.Error()
}

// checkpointed reports whether a task's last checkpoint already stands at this cut.
func (b *statusBoard) checkpointed(id int32, cut *state.Cut) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.cuts[id]
	return ok && at.Equal(cut.Position())
}

func (b *statusBoard) checkpoint(id int32, m *state.Manifest, s state.CheckpointStats, began, ended time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cuts == nil {
		b.cuts, b.checkpoints = map[int32]state.Position{}, map[int32]CheckpointStatus{}
	}
	b.cuts[id] = m.Cut.Position()
	b.checkpoints[id] = CheckpointStatus{
		At: ended, Next: m.Cut.Sources[0].Next, Took: ended.Sub(began),
		Bytes: s.Bytes, BytesUploaded: b.checkpoints[id].BytesUploaded + s.BytesUploaded,
	}
}

// report hands a fresh snapshot to whoever observes the run. It is called by the loop, between polls, so that the
// tasks stand still.
func (r *runner) report() {
	if r.o.Observe == nil {
		return
	}
	s := Status{
		Pipeline: r.o.Plan.Pipeline.Name, Fingerprint: r.o.Plan.Fingerprint, ID: r.o.ID, Topic: r.sources[0].Name,
		At: r.o.Now(), Commits: map[string]int64{}, LandingBytes: r.budget.Used(), Memory: r.parts(),
	}
	b := &r.status
	b.mu.Lock()
	for k, n := range b.commits {
		s.Commits[k] = n
	}
	s.CommitTook, s.CommitSum, s.LastCommitAt = b.took, b.sum, b.at
	s.Rebuilds, s.LastError = b.rebuilds, b.lastError
	b.mu.Unlock()
	if since, err := r.bucket.failing(); err != nil {
		s.BucketSince, s.BucketFailing = since, err.Error()
	}
	tasks := r.mine()
	r.mu.Lock()
	observed := r.observed
	first := observed[r.sources[0].Name]
	here := make(map[int32]bool, len(r.tasks))
	for id := range r.tasks {
		here[id] = true
	}
	for id := range r.width() {
		if err := r.stopped[id]; err != nil && r.tasks[id] == nil {
			s.Tasks = append(s.Tasks, TaskStatus{Task: id, State: Stopped, Err: err.Error(), Watermark: window.NoWatermark,
				LastStable: first[id].LastStable, High: first[id].High})
		}
	}
	r.mu.Unlock()
	r.restores.tasks(&s, func(id int32) bool { return here[id] })
	for i := range s.Tasks {
		if t := &s.Tasks[i]; t.State == Restoring {
			t.LastStable, t.High = first[t.Task].LastStable, first[t.Task].High
		}
	}
	for _, t := range tasks {
		st := t.status(observed, b)
		r.storing(t, &st)
		s.Tasks = append(s.Tasks, st)
		for i, n := range t.flow.Lateness() {
			s.Lateness[i] += n
		}
	}
	slices.SortFunc(s.Tasks, func(a, b TaskStatus) int { return int(a.Task - b.Task) })
	r.o.Observe(s)
}

// storing says how a task's landing is.
func (r *runner) storing(t *task, s *TaskStatus) {
	for i, in := range t.inputs {
		if keeps := r.sources[in.number].retention; in.lander != nil && keeps > 0 {
			s.Inputs[i].Retention = keeps
			s.Inputs[i].Headroom, _ = r.headroom(in)
		}
	}
	if t.paused != "" && t.stopped == nil {
		s.State, s.Err = Paused, r.pausedText(t)
	}
}

func (t *task) status(observed map[string]map[int32]kafka.Ends, b *statusBoard) TaskStatus {
	s := TaskStatus{
		Task: t.id, State: Idle, Life: t.life, Counters: t.counters(), OldestOpen: window.NoWatermark,
		StateBytes: t.store.SizeBytes(), MemoryBytes: t.flow.Memory(), Buffered: t.flow.Buffered(),
	}
	for _, in := range t.inputs {
		ends := observed[in.topic][t.id]
		st := InputStatus{
			Topic: in.topic, Committed: in.committed, LastStable: ends.LastStable, High: ends.High,
			Watermark: t.flow.Reached(in.number), Pending: t.flow.Pending(in.number),
			Consumed: in.consumed, Silent: !in.silentSince.IsZero(), Internal: in.topic == t.repartition,
		}
		s.LastRecordAt = max(s.LastRecordAt, in.lastRecordAt)
		if in.lander != nil {
			st.Landed = in.lander.Landed()
		}
		if !st.Silent {
			s.State = Running
		}
		s.Inputs = append(s.Inputs, st)
	}
	if len(s.Inputs) == 1 {
		s.Inputs[0].Consumed = s.Counters.Consumed
	}
	first := s.Inputs[0]
	s.Committed, s.LastStable, s.High, s.Landed, s.Pending = first.Committed, first.LastStable, first.High, first.Landed, first.Pending
	s.Watermark = t.flow.Watermark()
	if w, ok := t.flow.Engine().OldestOpen(); ok {
		s.OldestOpen = w.Start
	}
	if t.stopped != nil {
		s.State, s.Err = Stopped, t.stopped.Error()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Checkpoint = b.checkpoints[t.id]
	s.Checkpoint.Gap = t.gapTo(b.cuts[t.id])
	return s
}

// Summary is the accounting of the whole pipeline at the end of a run, over all tasks and processes, since each task
// was born.
type Summary struct {
	Pipeline    string         `json:"pipeline"`
	Fingerprint string         `json:"fingerprint"`
	Tasks       int            `json:"tasks"`
	Counters    state.Counters `json:"counters"`
	Commits     int64          `json:"commits"` // by this process, in this run
}

// Balanced reports whether every consumed record has exactly one fate (law L3).
func (s *Summary) Balanced() bool {
	c := &s.Counters
	return c.Consumed+c.Received == c.Aggregated+c.Duplicate+c.Late+c.Filtered+c.Invalid+c.Forwarded
}

// summary adds up the newest checkpoints of all tasks.
func (r *runner) summary(ctx context.Context) (*Summary, error) {
	cuts, err := r.siblings(ctx)
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	sum := &Summary{Pipeline: r.o.Plan.Pipeline.Name, Fingerprint: r.o.Plan.Fingerprint, Tasks: len(cuts), Commits: r.beat.commits}
	for _, o := range r.o.Plan.Outputs {
		sum.Counters.Outputs = append(sum.Counters.Outputs, state.OutputCounters{Name: o.Name})
	}
	for _, cut := range cuts {
		addCounters(&sum.Counters, &cut.Counters)
	}
	return sum, nil
}

func addCounters(sum, c *state.Counters) {
	sum.Add(c)
	for i := range sum.Outputs {
		sum.Outputs[i].Closed += c.Outputs[i].Closed
		sum.Outputs[i].Missed += c.Outputs[i].Missed
		sum.Outputs[i].Open += c.Outputs[i].Open
	}
}

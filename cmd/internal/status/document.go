package status

import (
	"fmt"
	"math"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
)

// Document is the state of one pipeline. Times are RFC 3339 in UTC.
type Document struct {
	APIVersion  string `json:"apiVersion"` // "tidemark/v1"
	Kind        string `json:"kind"`       // "Status"
	Pipeline    string `json:"pipeline"`
	Fingerprint string `json:"fingerprint"`
	Topic       string `json:"topic"` // the first, if there are several
	// Topics are those that are read, if there are several: the sources', then the repartition topic.
	Topics []string  `json:"topics,omitempty"`
	At     time.Time `json:"at"`
	// Process names the process that tells; empty when told from outside.
	Process    string     `json:"process,omitempty"`
	Tasks      []Task     `json:"tasks"`
	TasksTotal int        `json:"tasks_total,omitempty"` // of the pipeline, of which a process tells its own; 0 when not known
	Accounting Accounting `json:"accounting"`
	Outputs    []Output   `json:"outputs"`
	// Lateness counts events by how far behind their partition's newest event time they were, in this process.
	Lateness  []Bucket   `json:"lateness,omitempty"`
	Reconcile *Reconcile `json:"reconcile,omitempty"`
	// ReconcileFailing is why nobody can say what is to be reconciled: the lake is damaged, or of another topic.
	ReconcileFailing string `json:"reconcile_failing,omitempty"`
	// LastCommit is the time of this process's last transaction.
	LastCommit *time.Time `json:"last_commit,omitempty"`
	// LastError is what ended this process's last session, if one broke.
	LastError string `json:"last_error,omitempty"`
	// BucketFailing is how the bucket has been failing since BucketSince; empty while it does what it is asked.
	BucketFailing string     `json:"bucket_failing,omitempty"`
	BucketSince   *time.Time `json:"bucket_since,omitempty"`
	// Recovered says that transactions were confirmed since LastError.
	Recovered bool `json:"recovered,omitempty"`
}

// Task is one task and the source partition that it reads.
type Task struct {
	Task      int32  `json:"task"`
	Partition string `json:"partition"` // topic/partition
	// State is RUNNING, RESTORE, IDLE, PAUSED or STOPPED as the process says, STOPPED also from outside; DOWN when the group has no
	// owner for it.
	State   string   `json:"state"`
	Restore *Restore `json:"restore,omitempty"` // how far it is, in state RESTORE
	Owner   string   `json:"owner,omitempty"`
	Error   string   `json:"error,omitempty"`

	Committed  int64 `json:"committed"`
	LastStable int64 `json:"last_stable"`
	High       int64 `json:"high"`
	Lag        int64 `json:"lag"` // offsets up to the last stable one; transaction markers count too

	Watermark *time.Time `json:"watermark"` // null: no confirmed event yet
	Pending   int        `json:"pending"`   // far-future events that wait to be confirmed
	Open      int64      `json:"open_windows"`
	Buffered  int64      `json:"buffered,omitempty"` // events that a join holds; not known from outside
	// Uncounted says that nobody can tell the task's counters and open windows: it has committed, and has no checkpoint that
	// can be read.
	Uncounted bool `json:"uncounted,omitempty"`
	// Life is the number of the change decision with which the task began anew, and its counters with it; 0 since its birth.
	Life int64 `json:"life,omitempty"`
	// HeldBack is the input whose watermark the task waits for, if it reads several and windows are open.
	HeldBack string `json:"held_back,omitempty"`
	// Waits says what the open windows wait for; empty when none is open.
	Waits string `json:"waits,omitempty"`

	Landed     *int64      `json:"landed"`         // end of the lake's log; null: that can't be read
	NotLanded  *int64      `json:"not_landed"`     // committed, and not in the lake yet
	Gone       int64       `json:"gone,omitempty"` // offsets that were deleted from the topic before they were read
	Checkpoint *Checkpoint `json:"checkpoint"`     // null: none yet

	// Inputs are all partitions that the task reads, if there are several. Partition, Committed, LastStable, High and Landed
	// above are those of the first; Lag, Pending, NotLanded and Gone are of all. Watermark is
	// the task's: the lowest of them, or that of the repartition topic, behind which the windows are.
	Inputs []Input `json:"inputs,omitempty"`
}

// Input is a task's part of one topic.
type Input struct {
	Partition  string     `json:"partition"`
	Committed  int64      `json:"committed"`
	LastStable int64      `json:"last_stable"`
	High       int64      `json:"high"`
	Lag        int64      `json:"lag"`
	Watermark  *time.Time `json:"watermark"` // of the repartition topic: the lowest that its source partitions have sent
	Pending    int        `json:"pending"`
	Landed     *int64     `json:"landed"`
	NotLanded  *int64     `json:"not_landed"`
	Gone       int64      `json:"gone,omitempty"`
	Internal   bool       `json:"internal,omitempty"` // the repartition topic: nothing of it is landed
}

// Restore is how far a task is on the way to its committed cut: its bytes are fetched if they aren't on the disk, then what was
// committed since is replayed.
type Restore struct {
	Source        string    `json:"source"` // local, checkpoint, lake (Kafka no longer has all of it) or topic (there was no state)
	Percent       int       `json:"percent"`
	Bytes         int64     `json:"bytes"`
	BytesTotal    int64     `json:"bytes_total"`
	Replayed      int64     `json:"replayed"` // offsets
	ReplayedTotal int64     `json:"replayed_total"`
	Began         time.Time `json:"began"`
}

// Shown is the task's state as people read it.
func (t *Task) Shown() string {
	if t.Restore == nil {
		return t.State
	}
	return fmt.Sprintf("%s %d%%", t.State, t.Restore.Percent)
}

// Checkpoint is a task's newest checkpoint. Gap is how many offsets a crash now would replay.
type Checkpoint struct {
	At   time.Time `json:"at"`
	Next int64     `json:"next"`
	Gap  int64     `json:"gap"`
}

// Accounting is law L3 over all tasks that are told of.
type Accounting struct {
	Consumed   int64 `json:"consumed"`
	Aggregated int64 `json:"aggregated"`
	Duplicate  int64 `json:"duplicate"`
	Late       int64 `json:"late"`
	Filtered   int64 `json:"filtered"`
	Invalid    int64 `json:"invalid"`
	// Of a rekeyed pipeline: events sent through the repartition topic, and received from it. An event whose groups belong
	// to several partitions is forwarded once and received more often.
	Forwarded int64 `json:"forwarded,omitempty"`
	Received  int64 `json:"received,omitempty"`
	Joined    int64 `json:"joined,omitempty"` // pairs, or enriched events, that a join has made
	// Of what was joined: what rules took out, and what could not be computed.
	JoinedFiltered int64 `json:"joined_filtered,omitempty"`
	JoinedInvalid  int64 `json:"joined_invalid,omitempty"`
	// Balanced says that every consumed record of all tasks has exactly one fate: false, too, while it isn't known of some.
	Balanced bool `json:"balanced"`
	// Uncounted is how many tasks are not in the sums, because nobody can tell their counters.
	Uncounted int `json:"tasks_uncounted,omitempty"`

	Rules []Rule `json:"rules,omitempty"`
}

// Rule is how often a rule fired.
type Rule struct {
	Name  string `json:"name"`
	Fired int64  `json:"fired"`
}

// Output is one output's windows.
type Output struct {
	Name   string `json:"name"`
	Open   int64  `json:"open"`
	Closed int64  `json:"closed"`
	Missed int64  `json:"missed"`
}

// Bucket counts events that were up to so far behind, and further than the bucket before says. The last has no bound.
type Bucket struct {
	UpToSeconds *float64 `json:"up_to_seconds"`
	Events      int64    `json:"events"`
}

// Reconcile counts units.
type Reconcile struct {
	Due     int `json:"due"`
	Waiting int `json:"waiting"`
	Clean   int `json:"clean"`
	// Example is the first waiting unit and what it waits for.
	Example string `json:"example,omitempty"`
}

// NewAccounting adds up what became of the records.
func NewAccounting(c state.Counters) Accounting {
	a := Accounting{
		Consumed: c.Consumed, Aggregated: c.Aggregated, Duplicate: c.Duplicate, Late: c.Late, Filtered: c.Filtered, Invalid: c.Invalid,
		Forwarded: c.Forwarded, Received: c.Received, Joined: c.Pairs, JoinedFiltered: c.PairsFiltered,
		JoinedInvalid: c.PairsInvalid, Balanced: Imbalance(c) == 0,
	}
	for _, r := range c.Rules {
		a.Rules = append(a.Rules, Rule(r))
	}
	return a
}

// Imbalance is how many consumed or received records have no fate, or more than one. It must be 0 (law L3).
func Imbalance(c state.Counters) int64 {
	return c.Consumed + c.Received - c.Aggregated - c.Duplicate - c.Late - c.Filtered - c.Invalid - c.Forwarded
}

// Imbalance is Imbalance of the tasks that are counted.
func (a Accounting) Imbalance() int64 {
	return a.Consumed + a.Received - a.Aggregated - a.Duplicate - a.Late - a.Filtered - a.Invalid - a.Forwarded
}

// add puts one task's counters into the document's totals.
func (d *Document) add(total *state.Counters, c *state.Counters) {
	total.Add(c)
	for _, o := range c.Outputs {
		i := d.output(o.Name)
		d.Outputs[i].Open += o.Open
		d.Outputs[i].Closed += o.Closed
		d.Outputs[i].Missed += o.Missed
	}
}

func (d *Document) output(name string) int {
	for i := range d.Outputs {
		if d.Outputs[i].Name == name {
			return i
		}
	}
	d.Outputs = append(d.Outputs, Output{Name: name})
	return len(d.Outputs) - 1
}

func openWindows(c *state.Counters) (open int64) {
	for _, o := range c.Outputs {
		open += o.Open
	}
	return open
}

func windows(n int64) string {
	if n == 1 {
		return "1 open window"
	}
	return fmt.Sprintf("%d open windows", n)
}

// Running is how many tasks do their work.
func (d *Document) Running() (n int) {
	for _, t := range d.Tasks {
		if t.State == string(stream.Running) || t.State == string(stream.Idle) {
			n++
		}
	}
	return n
}

// Stopped says whether any task is.
func (d *Document) Stopped() bool {
	for i := range d.Tasks {
		if d.Tasks[i].State == string(stream.Stopped) {
			return true
		}
	}
	return false
}

// Anew are the tasks that count since a change or a resume began them anew.
func (d *Document) Anew() (tasks []int32) {
	for i := range d.Tasks {
		if d.Tasks[i].Life > 0 {
			tasks = append(tasks, d.Tasks[i].Task)
		}
	}
	return tasks
}

// Trouble says what an operator must look at; empty if there is nothing. It is what keeps the pipeline from doing its work, not
// what waits for the reconciler.
func (d *Document) Trouble() (all []string) {
	for i := range d.Tasks {
		t := &d.Tasks[i]
		switch t.State {
		case string(stream.Stopped), string(stream.Paused), Down:
			all = append(all, fmt.Sprintf("task %d is %s", t.Task, t.State))
		}
		if t.Gone > 0 {
			all = append(all, fmt.Sprintf("task %d has not read %d offsets that its topic no longer has", t.Task, t.Gone))
		}
	}
	if n := d.Accounting.Imbalance(); n != 0 {
		all = append(all, fmt.Sprintf("%d records have not exactly one fate", n))
	}
	if d.ReconcileFailing != "" {
		all = append(all, "nobody can say what is to be reconciled")
	}
	if d.BucketFailing != "" {
		all = append(all, "the bucket fails")
	}
	return all
}

// Lag is how many offsets all tasks together are behind.
func (d *Document) Lag() (lag int64) {
	for _, t := range d.Tasks {
		lag += t.Lag
	}
	return lag
}

// moment is a time in milliseconds since the epoch; nil for the values that mean none.
func moment(ms int64) *time.Time {
	if ms == math.MinInt64 {
		return nil
	}
	at := time.UnixMilli(ms).UTC()
	return &at
}

func place(topic string, partition int32) string { return fmt.Sprintf("%s/%d", topic, partition) }

const minute = "2006-01-02T15:04Z"

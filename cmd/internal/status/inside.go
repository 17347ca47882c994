package status

import (
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
)

const apiVersion, kind = "tidemark/v1", "Status"

// FromStream is the document that a running process tells of itself. It keeps nothing of the snapshot.
func FromStream(s *stream.Status) *Document {
	d := &Document{
		APIVersion: apiVersion, Kind: kind, Pipeline: s.Pipeline, Fingerprint: s.Fingerprint, Topic: s.Topic,
		At: s.At.UTC(), Process: s.ID, Tasks: []Task{}, Outputs: []Output{}, LastError: s.LastError,
	}
	if !s.LastCommitAt.IsZero() {
		at := s.LastCommitAt.UTC()
		d.LastCommit = &at
	}
	if s.BucketFailing != "" {
		since := s.BucketSince.UTC()
		d.BucketFailing, d.BucketSince = s.BucketFailing, &since
	}
	var total state.Counters
	for i := range s.Tasks {
		d.Tasks = append(d.Tasks, insideTask(s, &s.Tasks[i]))
		d.add(&total, &s.Tasks[i].Counters)
	}
	d.Accounting, d.Topics = NewAccounting(total), topicsOf(s.Tasks)
	d.blame()
	for i, n := range s.Lateness {
		b := Bucket{Events: n}
		if i < len(stream.LatenessBounds) {
			seconds := float64(stream.LatenessBounds[i]) / 1000
			b.UpToSeconds = &seconds
		}
		d.Lateness = append(d.Lateness, b)
	}
	return d
}

func insideTask(s *stream.Status, t *stream.TaskStatus) Task {
	task := Task{
		Task: t.Task, Partition: place(s.Topic, t.Task), State: string(t.State), Owner: s.ID, Error: t.Err,
		Open: openWindows(&t.Counters), Buffered: t.Buffered, Life: t.Life,
	}
	if r := t.Restore; r != nil {
		task.Restore = &Restore{Source: r.Source, Percent: r.Percent(), Bytes: r.Bytes, BytesTotal: r.BytesTotal,
			Replayed: r.Replayed, ReplayedTotal: r.ReplayedTotal, Began: r.Began.UTC()}
	}
	for i := range t.Inputs {
		task.add(insideInput(t.Task, &t.Inputs[i]))
	}
	if len(t.Inputs) == 0 { // it is stopped or not there yet, and its end of the topic is all that is known
		task.LastStable, task.High, task.Lag = t.LastStable, t.High, max(0, t.LastStable-t.Committed)
	}
	task.settle()
	if c := t.Checkpoint; !c.At.IsZero() {
		task.Checkpoint = &Checkpoint{At: c.At.UTC(), Next: c.Next, Gap: c.Gap}
	}
	if oldest := moment(t.OldestOpen); task.Open > 0 && oldest != nil {
		task.Waits = fmt.Sprintf("%s, the oldest from %s: closing as event time goes on in %s",
			windows(task.Open), oldest.Format(minute), task.heldBy())
	}
	return task
}

func insideInput(task int32, in *stream.InputStatus) Input {
	out := Input{
		Partition: place(in.Topic, task), Committed: in.Committed, LastStable: in.LastStable, High: in.High,
		Lag: max(0, in.LastStable-in.Committed), Watermark: moment(in.Watermark), Pending: in.Pending, Internal: in.Internal,
		Landed: known(0), NotLanded: known(0),
	}
	if !in.Internal {
		out.Landed, out.NotLanded = known(in.Landed), known(max(0, in.Committed-in.Landed))
	}
	return out
}

// topicsOf are the topics that tasks read, if there are several.
func topicsOf(tasks []stream.TaskStatus) []string {
	var topics []string
	for i := range tasks {
		if in := tasks[i].Inputs; len(topics) == 0 && len(in) > 1 {
			for j := range in {
				topics = append(topics, in[j].Topic)
			}
		}
	}
	return topics
}

// stalled says what keeps a process from being ready; empty when nothing does.
func stalled(s *stream.Status, now time.Time) string {
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if t.State == stream.Stopped {
			return fmt.Sprintf("task %d is stopped: %s", t.Task, t.Err)
		}
		if t.State == stream.Paused {
			return fmt.Sprintf("task %d is paused: %s", t.Task, t.Err)
		}
		if r := t.Restore; r != nil && now.Sub(r.MovedAt) > staleAfter {
			return fmt.Sprintf("task %d restores, and has stood at %d %% for %s", t.Task, r.Percent(), now.Sub(r.MovedAt).Truncate(time.Second))
		}
	}
	return ""
}

// Ready says whether the process does its work, and if not, why. It does while its bucket fails, as far as its memory allows; a
// process that is started in its place would have the same bucket. A task that is restored is as good as one that runs while it
// comes on: who waits for it to be ready before it stops the next process would wait for nothing that the next one could
// help. s is nil before its first snapshot.
func Ready(s *stream.Status, now time.Time) (bool, string) {
	if s == nil {
		return false, "starting: no task has been assigned yet"
	}
	if why := stalled(s, now); why != "" {
		return false, why
	}
	if age := now.Sub(s.At); age > staleAfter {
		return false, fmt.Sprintf("nothing was heard of the tasks for %s", age.Truncate(time.Second))
	}
	return true, fmt.Sprintf("%d tasks", len(s.Tasks)) + restoring(s) + degraded(s)
}

// restoring tells of the tasks that are on their way.
func restoring(s *stream.Status) (text string) {
	for i := range s.Tasks {
		if r := s.Tasks[i].Restore; r != nil {
			text += fmt.Sprintf(", task %d restores from %s: %d %%", s.Tasks[i].Task, r.Source, r.Percent())
		}
	}
	return text
}

// degraded tells that nothing can be stored: what goes on goes on in memory, and on what Kafka keeps.
func degraded(s *stream.Status) string {
	if s.BucketFailing == "" {
		return ""
	}
	return fmt.Sprintf("; degraded: the bucket has been failing since %s: %s", s.BucketSince.UTC().Format(time.RFC3339), s.BucketFailing)
}

// staleAfter is well above the second within which a healthy process tells of itself, and a rebuilt session takes.
const staleAfter = time.Minute

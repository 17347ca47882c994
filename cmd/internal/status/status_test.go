package status

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
)

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func snapshot() *stream.Status {
	return &stream.Status{
		Pipeline: "p", Topic: "t", ID: "main", At: at,
		Tasks: []stream.TaskStatus{
			{Task: 0, State: stream.Running, Committed: 50, LastStable: 60, High: 70, Landed: 45, Watermark: at.UnixMilli(), OldestOpen: at.UnixMilli(),
				Counters:   state.Counters{Consumed: 50, Aggregated: 49, Late: 1, Outputs: []state.OutputCounters{{Name: "a", Open: 2, Closed: 3}, {Name: "b", Closed: 1, Missed: 4}}},
				Checkpoint: stream.CheckpointStatus{At: at, Next: 20, Gap: 30},
				Inputs:     []stream.InputStatus{{Topic: "t", Committed: 50, LastStable: 60, High: 70, Landed: 45, Watermark: at.UnixMilli()}}},
			// Ends are sampled at other moments than commits: neither difference may go below zero.
			{Task: 1, State: stream.Idle, Committed: 8, LastStable: 7, High: 7, Landed: 9, Watermark: math.MinInt64, OldestOpen: math.MinInt64,
				Counters: state.Counters{Consumed: 8, Aggregated: 8, Outputs: []state.OutputCounters{{Name: "a", Closed: 5}, {Name: "b"}}},
				Inputs:   []stream.InputStatus{{Topic: "t", Committed: 8, LastStable: 7, High: 7, Landed: 9, Watermark: math.MinInt64}}},
		},
	}
}

// A task with several inputs: lag and what waits are of all of them, the watermark is the lowest, and the one that has it is
// named. Behind a repartition topic it is that topic's, whatever the task's own partition of the source has reached.
func TestSeveralInputs(t *testing.T) {
	ms := func(minutes int) int64 { return at.Add(time.Duration(minutes) * time.Minute).UnixMilli() }
	task := func(inputs ...stream.InputStatus) Task {
		d := FromStream(&stream.Status{Topic: inputs[0].Topic, At: at, Tasks: []stream.TaskStatus{{
			Task: 3, State: stream.Running, OldestOpen: at.UnixMilli(), Inputs: inputs,
			Counters: state.Counters{Outputs: []state.OutputCounters{{Name: "o", Open: 1}}},
		}}})
		if want := []string{inputs[0].Topic, inputs[1].Topic}; len(d.Topics) != 2 || d.Topics[0] != want[0] || d.Topics[1] != want[1] {
			t.Errorf("topics %v, want %v", d.Topics, want)
		}
		return d.Tasks[0]
	}
	joined := task(
		stream.InputStatus{Topic: "auctions", Committed: 10, LastStable: 15, Landed: 8, Watermark: ms(5), Pending: 1},
		stream.InputStatus{Topic: "bids", Committed: 20, LastStable: 27, Landed: 20, Watermark: ms(2), Pending: 2},
	)
	if joined.Lag != 12 || *joined.NotLanded != 2 || joined.Pending != 3 || joined.HeldBack != "bids/3" ||
		!joined.Watermark.Equal(at.Add(2*time.Minute)) || joined.Committed != 10 || len(joined.Inputs) != 2 {
		t.Errorf("joined: %+v", joined)
	}
	if want := "1 open window, the oldest from 2026-11-22T12:00Z: closing as event time goes on in auctions/3 and bids/3 (held back by bids/3)"; joined.Waits != want {
		t.Errorf("waits: %s", joined.Waits)
	}
	silent := task(stream.InputStatus{Topic: "a", Watermark: ms(5)}, stream.InputStatus{Topic: "b", Watermark: math.MinInt64})
	if silent.Watermark != nil || silent.HeldBack != "b/3" {
		t.Errorf("one input without an event: %+v", silent)
	}
	rekeyed := task(
		stream.InputStatus{Topic: "t", Committed: 10, LastStable: 10, Landed: 10, Watermark: ms(1)},
		stream.InputStatus{Topic: "p-repartition", Committed: 4, LastStable: 5, Watermark: ms(9), Internal: true},
	)
	elsewhere := task(stream.InputStatus{Topic: "t", Watermark: ms(5)}, stream.InputStatus{Topic: "p-repartition", Watermark: ms(2), Internal: true})
	if elsewhere.HeldBack != "p-repartition/3" || !strings.HasSuffix(elsewhere.Waits, "in every partition of t") {
		t.Errorf("held back by a partition of another process: %+v", elsewhere)
	}
	if rekeyed.Lag != 1 || *rekeyed.NotLanded != 0 || !rekeyed.Watermark.Equal(at.Add(9*time.Minute)) || rekeyed.HeldBack != "t/3" ||
		!strings.HasSuffix(rekeyed.Waits, "in every partition of t (held back by t/3)") {
		t.Errorf("rekeyed: %+v", rekeyed)
	}
}

func TestFromStream(t *testing.T) {
	d := FromStream(snapshot())
	first, second := d.Tasks[0], d.Tasks[1]
	if first.Lag != 10 || *first.NotLanded != 5 || first.Checkpoint.Gap != 30 || first.Open != 2 || !strings.Contains(first.Waits, "2 open windows") {
		t.Errorf("task 0: %+v", first)
	}
	if second.Lag != 0 || *second.NotLanded != 0 || second.Checkpoint != nil || second.Watermark != nil || second.Waits != "" {
		t.Errorf("task 1: %+v", second)
	}
	if d.Lag() != 10 || d.Running() != 2 || !d.Accounting.Balanced || d.Accounting.Consumed != 58 {
		t.Errorf("document: %+v", d)
	}
	want := []Output{{Name: "a", Open: 2, Closed: 8}, {Name: "b", Closed: 1, Missed: 4}}
	if len(d.Outputs) != 2 || d.Outputs[0] != want[0] || d.Outputs[1] != want[1] {
		t.Errorf("outputs %+v, want %+v", d.Outputs, want)
	}
}

// Law L3 as the document tells it: a record without a fate, or with two, is never "balanced".
func TestBalance(t *testing.T) {
	for _, c := range []struct {
		c    state.Counters
		want bool
	}{
		{state.Counters{}, true},
		{state.Counters{Consumed: 5, Aggregated: 1, Duplicate: 1, Late: 1, Filtered: 1, Invalid: 1}, true},
		{state.Counters{Consumed: 5, Aggregated: 4}, false},
		{state.Counters{Consumed: 5, Aggregated: 5, Late: 1}, false},
	} {
		if got := NewAccounting(c.c).Balanced; got != c.want {
			t.Errorf("%+v: balanced %v", c.c, got)
		}
	}
}

// Everything that can be unknown is null or absent, never a number that looks like one.
func TestUnknownIsNotZero(t *testing.T) {
	text, err := json.Marshal(FromStream(&stream.Status{Tasks: []stream.TaskStatus{{Watermark: math.MinInt64, OldestOpen: math.MinInt64}}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"watermark":null`, `"checkpoint":null`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	for _, not := range []string{"last_commit", "1970-", "-292277022"} {
		if strings.Contains(string(text), not) {
			t.Errorf("%s in %s", not, text)
		}
	}
}

func TestReady(t *testing.T) {
	if ready, _ := Ready(nil, at); ready {
		t.Error("ready before the first snapshot")
	}
	if ready, why := Ready(snapshot(), at.Add(time.Second)); !ready {
		t.Errorf("not ready: %s", why)
	}
	if ready, _ := Ready(snapshot(), at.Add(2*staleAfter)); ready {
		t.Error("ready though nothing was heard for minutes")
	}
	s := snapshot()
	s.Tasks[1].State, s.Tasks[1].Err = stream.Stopped, "why"
	if ready, why := Ready(s, at); ready || !strings.Contains(why, "task 1 is stopped: why") {
		t.Errorf("ready %v: %s", ready, why)
	}
}

// What is away for a while doesn't take a process out of service, and isn't kept quiet either.
func TestDegraded(t *testing.T) {
	s := snapshot()
	s.BucketFailing, s.BucketSince = "503 slow down", at.Add(-time.Hour)
	ready, why := Ready(s, at)
	if !ready || !strings.Contains(why, "degraded: the bucket has been failing since 2026-11-22T11:00:00Z: 503 slow down") {
		t.Errorf("ready %v: %s", ready, why)
	}
	if d := FromStream(s); len(d.Trouble()) != 1 || d.BucketFailing == "" {
		t.Errorf("the document: %+v", d.Trouble())
	}
}

// What keeps a pipeline from its work is named, and nothing else is.
func TestTrouble(t *testing.T) {
	if d := FromStream(snapshot()); len(d.Trouble()) != 0 || len(d.Anew()) != 0 {
		t.Errorf("nothing is wrong: %v", d.Trouble())
	}
	s := snapshot()
	s.Tasks[0].State, s.Tasks[0].Life = stream.Stopped, 7
	s.Tasks[1].Counters.Consumed++
	d := FromStream(s)
	d.Tasks[1].State, d.Tasks[1].Gone, d.ReconcileFailing = Down, 461, "why"
	want := "task 0 is STOPPED, task 1 is DOWN, task 1 has not read 461 offsets that its topic no longer has, 1 records have not exactly one fate, nobody can say what is to be reconciled"
	if got := strings.Join(d.Trouble(), ", "); got != want {
		t.Errorf("%s", got)
	}
	if anew := d.Anew(); len(anew) != 1 || anew[0] != 0 {
		t.Errorf("begun anew: %v", anew)
	}
}

// A task with an input whose lake can't be read: that isn't known of the task either.
func TestUnknownOfSeveral(t *testing.T) {
	for _, order := range [][]*int64{{known(3), nil}, {nil, known(3)}} {
		task := Task{}
		for _, n := range order {
			task.add(Input{Landed: n, NotLanded: n, Gone: 2})
		}
		if task.NotLanded != nil || task.Gone != 4 {
			t.Errorf("%+v", task)
		}
	}
}

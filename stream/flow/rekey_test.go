package flow

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func rekeyed(t *testing.T) *rig {
	return newRig(t, compile(t, "source: "+click("clicks", "event_id: [id]")+"\n"+rekeyedTwo), 1)
}

// Everything that a letter can't be is told when it is looked at, before anything of it is counted: its task stops before it,
// and what it has come to so far can be committed (law L3).
func TestLetterIsRefusedBeforeItCounts(t *testing.T) {
	value := event("a", "u", "p", rigEpoch, 1)
	ahead := letter{marker: true, mark: rigEpoch}
	for name, bad := range map[string]letter{
		"a source partition that isn't": {partition: 1, mark: rigEpoch, parts: []part{{0, 1}}, value: value},
		"a watermark from nowhere":      {marker: true, partition: 7, mark: rigEpoch},
		"no event":                      {mark: rigEpoch, parts: []part{{0, 1}}, value: []byte("{")},
		"an element that isn't":         {mark: rigEpoch, parts: []part{{0, 1}, {1, 1}}, value: value},
		"an output that isn't":          {mark: rigEpoch, parts: []part{{0, 1 << 3}}, value: value},
		"a watermark that falls":        {mark: rigEpoch - 1, parts: []part{{0, 1}}, value: value},
	} {
		r := rekeyed(t)
		r.take(1, ahead.append(nil), Forwarded)
		before := *r.flow.Counters()
		_, err := r.try(1, bad.append(nil))
		var refused *LetterError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		if after := *r.flow.Counters(); after.Received != before.Received || !after.Balanced() || r.flow.Reached(1) != rigEpoch {
			t.Errorf("%s is counted: %+v, watermark %d", name, after, r.flow.Reached(1))
		}
		r.take(1, (&letter{mark: rigEpoch, parts: []part{{0, 7}}, value: value}).append(nil), Aggregated)
	}
}

// A letter that is late where it arrives says that the two halves differ: an error of the letter's.
func TestLetterOfOtherHalf(t *testing.T) {
	r := rekeyed(t)
	_, err := r.try(1, (&letter{mark: rigEpoch + 60*minute, parts: []part{{0, 1}}, value: event("a", "u", "p", rigEpoch, 1)}).append(nil))
	var refused *LetterError
	if !errors.As(err, &refused) {
		t.Errorf("a late letter: %v", err)
	}
}

// An event with many elements goes to each partition once, whatever number of its elements belong there; each is counted.
func TestForwardedOnce(t *testing.T) {
	plan := compile(t, "source: "+click("clicks", "event_id: [id], unnest: items")+`
outputs:
  - {name: by-item, group_by: [items], window: {tumbling: 10m}, aggregate: {n: count()}}
  - {name: by-user, group_by: [user], window: {tumbling: 10m}, aggregate: {n: count()}}
`)
	const elements, width = 500, 3
	var items []string
	for i := range elements {
		items = append(items, fmt.Sprintf("%q", fmt.Sprint("item ", i%60)))
	}
	value := fmt.Appendf(nil, `{"id":"a","user":"u","page":"p","at":%d,"ms":1,"items":[%s]}`, rigEpoch, strings.Join(items, ","))
	r := newRig(t, plan, width)
	r.take(0, value, Forwarded)
	counted := map[string]int64{}
	for p := range int32(width) {
		if n := len(r.letters[p]); n != 1 {
			t.Errorf("partition %d gets %d letters", p, n)
		}
		there := newRig(t, plan, width)
		for _, l := range r.letters[p] {
			there.take(1, l, Aggregated)
			there.take(1, l, Duplicate)
		}
		for from := range int32(width) {
			there.take(1, (&letter{marker: true, partition: from, mark: rigEpoch + 60*minute}).append(nil), Forwarded)
		}
		there.must(there.flow.Close())
		for _, w := range there.closed {
			counted[plan.Outputs[w.Output].Name] += w.Events
		}
	}
	if counted["by-item"] != elements || counted["by-user"] != elements {
		t.Errorf("%v are counted, each output has %d", counted, elements)
	}
}

// What an event misses at its source is what the windows would say that it misses, for outputs of every kind: the two
// halves of a rekeyed pipeline and one that isn't judge alike (invariant 3).
func TestMissesAreTheWindows(t *testing.T) {
	r := rekeyed(t)
	whole := newRig(t, compile(t, "source: "+click("clicks", "event_id: [id], key: [user, page]")+"\n"+strings.ReplaceAll(rekeyedTwo, "group_by: [user]", "group_by: [user, page]")), 1)
	random := rand.New(rand.NewPCG(1, 2))
	now := rigEpoch
	for i := range 2000 {
		now += random.Int64N(minute)
		value := event(fmt.Sprint(i), "u", "p", now-random.Int64N(40*minute), 1)
		got, err := r.try(0, value)
		r.must(err)
		want, err := whole.try(0, value)
		r.must(err)
		if (got == Late) != (want == Late) {
			t.Fatalf("%s is %s at its source, and %s", value, got, want)
		}
	}
	a, b := r.flow.Counters(), whole.flow.Counters()
	if a.Late == 0 || a.Late != b.Late || len(r.reports) != len(whole.reports) {
		t.Errorf("late %d and %d, reports %d and %d", a.Late, b.Late, len(r.reports), len(whole.reports))
	}
	for o := range a.Outputs {
		if a.Outputs[o].Missed == 0 || a.Outputs[o].Missed != b.Outputs[o].Missed {
			t.Errorf("%s: %d windows missed, and %d", r.plan.Outputs[o].Name, a.Outputs[o].Missed, b.Outputs[o].Missed)
		}
	}
}

// Markers go to every partition, not more often than a tenth of the shortest window, and always when they must; what has
// been sent isn't sent again.
func TestMarkers(t *testing.T) {
	r := newRig(t, rekeyed(t).plan, 3)
	sent := func() int {
		n := len(r.letters[0])
		for p := range int32(3) {
			if len(r.letters[p]) != n {
				t.Errorf("partition %d has %d markers, the first %d", p, len(r.letters[p]), n)
			}
		}
		return n
	}
	step := func(what string, mark int64, all bool, want int) {
		t.Helper()
		if mark > 0 {
			r.must(r.flow.Raise(0, mark))
		}
		r.must(r.flow.Mark(1, all))
		if got := sent(); got != want {
			t.Errorf("%s: %d markers, want %d", what, got, want)
		}
	}
	const hop = 4 * 60_000 / markerShare // of the sessions' gap
	step("no watermark yet", 0, true, 0)
	step("the first", rigEpoch, false, 1)
	step("the same", 0, true, 1)
	step("less than a hop", rigEpoch+hop-1, false, 1)
	step("less than a hop, at the end", 0, true, 2)
	step("a hop", rigEpoch+2*hop-1, false, 3)
	var l letter
	r.must(l.decode(r.letters[2][2]))
	if !l.marker || l.partition != 1 || l.mark != rigEpoch+2*hop-1 {
		t.Errorf("the last is %+v", l)
	}
}

// A window behind the topic closes by the lowest watermark of all source partitions, whoever's events it holds; copies
// from two source partitions meet, and one fills what the other missed (laws L1 and L2).
func TestCopiesOfTwoPartitions(t *testing.T) {
	r := newRig(t, rekeyed(t).plan, 2)
	value := event("a", "u", "p", rigEpoch+minute, 1)
	// By the first partition's watermark the hopping windows that end first are missed, and the sessions.
	late := letter{partition: 0, mark: rigEpoch + 7*minute, parts: []part{{0, 7}}, value: value}
	early := letter{partition: 1, mark: rigEpoch - minute, parts: []part{{0, 7}}, value: value}
	r.take(1, late.append(nil), Aggregated)
	r.take(1, early.append(nil), Duplicate)
	r.must(r.flow.Close())
	if r.flow.Watermark() != rigEpoch-minute || len(r.closed) != 0 {
		t.Errorf("watermark %d, windows %+v", r.flow.Watermark(), r.closed)
	}
	r.take(1, (&letter{marker: true, partition: 1, mark: rigEpoch + 60*minute}).append(nil), Forwarded)
	r.must(r.flow.Close())
	if r.flow.Watermark() != rigEpoch+7*minute {
		t.Errorf("watermark %d", r.flow.Watermark())
	}
	r.take(1, (&letter{marker: true, partition: 0, mark: rigEpoch + 60*minute}).append(nil), Forwarded)
	r.must(r.flow.Close())
	windows := map[int]int{}
	for _, w := range r.closed {
		if windows[w.Output]++; w.Events != 1 {
			t.Errorf("%+v", w)
		}
	}
	if want := map[int]int{0: 1, 1: 4, 2: 1}; !reflect.DeepEqual(windows, want) {
		t.Errorf("windows by output %v, want %v", windows, want)
	}
	mark, err := r.flow.EncodeMark(1)
	r.must(err)
	again := newRig(t, r.plan, 2)
	r.must(again.flow.Restore(1, mark))
	if again.flow.Reached(1) != rigEpoch+60*minute {
		t.Errorf("after a restart the watermark is %d", again.flow.Reached(1))
	}
	if err := newRig(t, r.plan, 3).flow.Restore(1, mark); err == nil {
		t.Error("watermarks of two partitions are taken for those of three")
	}
}

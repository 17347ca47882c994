package flow

import (
	"errors"
	"fmt"
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

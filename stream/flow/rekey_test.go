package flow

import (
	"errors"
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
		"a source partition that isn't": {partition: 1, mark: rigEpoch, outputs: 1, value: value},
		"a watermark from nowhere":      {marker: true, partition: 7, mark: rigEpoch},
		"no event":                      {mark: rigEpoch, outputs: 1, value: []byte("{")},
		"an element that isn't":         {mark: rigEpoch, outputs: 1, element: 1, value: value},
		"an output that isn't":          {mark: rigEpoch, outputs: 1 << 3, value: value},
		"a watermark that falls":        {mark: rigEpoch - 1, outputs: 1, value: value},
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
		r.take(1, (&letter{mark: rigEpoch, outputs: 7, value: value}).append(nil), Aggregated)
	}
}

// A letter that is late where it arrives says that the two halves differ: an error of the letter's.
func TestLetterOfOtherHalf(t *testing.T) {
	r := rekeyed(t)
	_, err := r.try(1, (&letter{mark: rigEpoch + 60*minute, outputs: 1, value: event("a", "u", "p", rigEpoch, 1)}).append(nil))
	var refused *LetterError
	if !errors.As(err, &refused) {
		t.Errorf("a late letter: %v", err)
	}
}

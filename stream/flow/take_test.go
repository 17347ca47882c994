package flow

import (
	"fmt"
	"reflect"
	"testing"
)

func clickItems(id string, at int64, items string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"user":"u","page":"p","at":%d,"ms":1,"items":%s}`, id, at, items)
}

// Of a record's elements the best outcome counts, each rule as often as it fired, and what is invalid is reported one by one
// (invariants 1 and 5).
func TestOutcomeOfElements(t *testing.T) {
	r := newRig(t, compile(t, "source: "+click("clicks", "event_id: [id], key: [user], unnest: items")+`
rules:
  - {name: odd, expect: 'items != "odd"', else: count}
  - {name: gone, when: 'items == "gone"', then: filter}
  - {name: sane, expect: 'items != "bad"', else: quarantine}
outputs:
  - {name: o, group_by: [user, items], window: {tumbling: 10m}, aggregate: {n: count()}}
`), 1)
	at := rigEpoch
	r.take(0, clickItems("a", at, `["x","odd","gone","bad","bad","odd"]`), Aggregated)
	r.take(0, clickItems("a", at, `["x","odd","gone","bad","bad","odd"]`), Duplicate)
	r.take(0, clickItems("b", at, `["gone","bad"]`), Invalid)
	r.take(0, clickItems("c", at, `["gone"]`), Filtered)
	r.take(0, clickItems("d", at, `[]`), Filtered)
	r.take(0, []byte(`{"id":"e"`), Invalid)
	r.take(0, nil, Invalid)
	r.must(r.flow.Raise(0, at+20*minute))
	r.must(r.flow.Close())
	r.take(0, clickItems("f", at, `["x","gone","bad"]`), Late)
	c := r.flow.Counters()
	if !reflect.DeepEqual(c.Rules, []int64{4, 5, 6}) {
		t.Errorf("rules %v fired %v", r.plan.RuleNames, c.Rules)
	}
	kinds := map[Kind]int{}
	for _, rep := range r.reports {
		kinds[rep.Kind]++
	}
	if !reflect.DeepEqual(kinds, map[Kind]int{ReportInvalid: 2 + 2 + 1 + 2 + 1, ReportLate: 1}) {
		t.Errorf("reports %v: %+v", kinds, r.reports)
	}
	if len(r.closed) != 2 || r.closed[0].Events+r.closed[1].Events != 3 {
		t.Errorf("windows %+v", r.closed)
	}
}

// Events of two topics that share windows are no copies of one another, whatever they agree in; and one topic may have
// event ids where the other has none.
func TestNoCopiesAcrossTopics(t *testing.T) {
	for _, ids := range [][2]string{{"event_id: [id], ", "event_id: [id], "}, {"event_id: [id], ", ""}, {"", "event_id: [id], "}} {
		r := newRig(t, compile(t, "sources:\n  a: "+click("a", ids[0]+"key: [user]")+"\n  b: "+click("b", ids[1]+"key: [user]")+`
let: {who: "a.user != null ? a.user : b.user"}
outputs:
  - {name: o, group_by: [who], window: {tumbling: 10m}, aggregate: {n: count(), a: count(a.user), b: count(b.user)}}
`), 1)
		value := event("same", "u", "p", rigEpoch, 1)
		for input := range 2 {
			r.take(input, value, Aggregated)
			want := Duplicate
			if ids[input] == "" {
				want = Aggregated
			}
			r.take(input, value, want)
		}
		r.must(r.flow.Raise(0, rigEpoch+20*minute))
		r.must(r.flow.Close())
		if len(r.closed) != 0 {
			t.Error("a window closes although one source isn't there yet (law L2)")
		}
		r.must(r.flow.Raise(1, rigEpoch+20*minute))
		r.must(r.flow.Close())
		if len(r.closed) != 1 || r.closed[0].Values[1].Int() < 1 || r.closed[0].Values[2].Int() < 1 {
			t.Errorf("ids %q: windows %+v", ids, r.closed)
		}
	}
}

// Take wants a record that was looked at, once.
func TestTakeTwice(t *testing.T) {
	r := rekeyed(t)
	if _, err := r.flow.Take(Place{}); err == nil {
		t.Error("nothing was looked at, and is taken")
	}
	r = rekeyed(t)
	r.take(0, event("a", "u", "p", rigEpoch, 1), Forwarded)
	if _, err := r.flow.Take(Place{}); err == nil {
		t.Error("a record is taken twice")
	}
}

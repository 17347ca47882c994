package streamtest

import "testing"

// What TestMeta has found, by hand and as small as it gets.

// A copy that is late for the sessions, and in time for another output, is a copy (law L1). It was forwarded for the other
// output alone, and looked for under the expiry of that output's windows, where the first copy wasn't.
func TestCopyLateForSessionsOnly(t *testing.T) {
	b := newByHand(2,
		metaOutput{name: "sessions", group: groupBy("k"), gap: 500, size: 1500},
		metaOutput{name: "windows", group: groupBy("k"), size: 1250, lateness: 10_000})
	b.p.sources[0].key = nil // so that it is rekeyed
	b.start().send(0, 0, "e", "a", 1, 5).
		send(0, 1, "f", "a", 3, 7).send(0, 1, "e", "a", 1, 5).cut(never).
		cut(metaEnd)
	c := b.check(t)
	if c.sum.Duplicate != 1 || c.sum.Outputs[0].Missed != 1 {
		t.Errorf("counters %+v", c.sum)
	}
}

// A bound notes what a decision makes believed: events that were pending, and that no window holds.
func TestBoundAfterDecision(t *testing.T) {
	b := newByHand(1, metaOutput{name: "pairs", group: groupBy("l.k"), size: 1000, lateness: 2000, aggs: []metaAgg{{name: "events", fn: "count"}}})
	b.another(shapeInterval)
	b.p.upper, b.p.lateness = 1000, 1000
	b.p.sources[0].maxFuture, b.p.sources[0].confirm = 1000, 1
	b.start().send(0, 0, "a", "k", 1, 1).send(0, 0, "b", "k", 5, 1).cut(6000)
	b.cut(7000)
	b.check(t)
}

// The end of input closes the window of an event that came below what a decision had raised its watermark to, and that waits
// in an enrichment.
func TestEndAfterDecision(t *testing.T) {
	b := newByHand(1, metaOutput{name: "enriched", group: groupBy("l.k"), size: 1000, lateness: 10_000, aggs: []metaAgg{{name: "events", fn: "count"}}})
	b.another(shapeEnrich)
	b.p.lateness = 10_000
	b.start().cut(20_000).send(0, 0, "a", "k", 15, 1).cut(never)
	b.check(t)
}

package streamtest

import (
	"fmt"
	"testing"
)

// An idle gap, and then one record far ahead of all others, loses no open result. Engines that close windows by the new
// record's time, and only then look whether what they hold may still be given out, lose them: Kafka Streams 4.1 with its
// cache off lost 22,431 results of the flights data so, every night's open windows.
func TestIdleGapThenFarAhead(t *testing.T) {
	const groups = 7
	outputs := []metaOutput{
		{name: "tumbling", group: groupBy("k"), size: msHour, lateness: 10 * msMinute},
		{name: "hopping", group: groupBy("k"), size: msHour, every: 15 * msMinute},
		{name: "sessions", group: groupBy("k"), gap: 30 * msMinute, size: msDay},
		{name: "days", group: groupBy("k"), size: msDay, zone: "America/New_York"},
	}
	for _, shape := range []int{shapeSingle, shapeCoGroup, shapeInterval, shapeEnrich} {
		for _, gap := range []float64{2 * 3600, 86_400, 40 * 86_400} {
			t.Run(fmt.Sprintf("shape %d, gap of %.0f s", shape, gap), func(t *testing.T) {
				b := newByHand(1, append([]metaOutput(nil), outputs...)...)
				b.p.sources[0].maxFuture = 50 * msDay
				b.gapped(shape)
				b.start()
				for i := range groups {
					for s := range b.p.sources {
						b.send(s, 0, fmt.Sprint("e", i), fmt.Sprint("k", i), float64(60*i), int64(i))
					}
				}
				for s := range b.p.sources {
					b.send(s, 0, "far", "k0", gap, 1)
				}
				if c := b.cut(never).check(t); c.sum.Outputs[0].Closed != groups || c.sum.Outputs[1].Closed != 4*groups || c.sum.Late != 0 {
					t.Errorf("%d groups were open: %+v", groups, c.sum)
				}
			})
		}
	}
}

// gapped makes the pipeline one of a shape.
func (b *byHand) gapped(shape int) {
	if shape == shapeSingle {
		return
	}
	b.another(shape)
	key := groupBy("l.k")
	if shape == shapeCoGroup {
		l, r := fieldExpr("l.k", "string"), fieldExpr("r.k", "string")
		there := &metaExpr{op: "notnull", kind: "bool", kids: []*metaExpr{l}}
		key = []metaNamed{{"key", &metaExpr{op: "?:", kind: "string", kids: []*metaExpr{there, l, r}}}}
	}
	for i := range b.p.outputs {
		b.p.outputs[i].group = key
		b.p.outputs[i].aggs = []metaAgg{{name: "events", fn: "count"}, {name: "sum", fn: "sum", arg: fieldExpr("l.n", "int"), typ: "long"}}
	}
}

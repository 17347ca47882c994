package streamtest

import "testing"

// byHand is a case made by hand rather than by chance.
type byHand struct {
	p *metaPipeline
	l *metaLog
}

// newByHand has one source of id, k, at, n and x, keyed by k in one partition, whose events are believed at once.
func newByHand(width int32, outputs ...metaOutput) *byHand {
	p := &metaPipeline{unit: msSecond, width: width, outputs: outputs}
	p.sources = []metaSource{{format: "avro-raw", time: "at", eventID: []string{"id"}, key: []string{"k"}, maxFuture: 10 * msDay,
		fields: []metaField{{"id", "string", false}, {"k", "string", false}, {"at", "millis", false}, {"n", "long", false}, {"x", "double", false}, {"u", "long", false},
			{"items.sku", "string", false}, {"codes", "long", false}}}}
	for i := range outputs {
		if p.outputs[i].aggs == nil {
			p.outputs[i].aggs = []metaAgg{{name: "events", fn: "count"}, {name: "sum", fn: "sum", arg: fieldExpr("n", "int"), typ: "long"}}
		}
	}
	return &byHand{p: p}
}

func fieldExpr(name, kind string) *metaExpr { return &metaExpr{op: "field", name: name, kind: kind} }

func groupBy(names ...string) (out []metaNamed) {
	for _, name := range names {
		out = append(out, metaNamed{"", fieldExpr(name, "string")})
	}
	return out
}

// another makes the pipeline one of two sources, l and r.
func (b *byHand) another(shape int) *byHand {
	b.p.shape = shape
	r := b.p.sources[0]
	b.p.sources[0].name, r.name = "l", "r"
	b.p.sources = append(b.p.sources, r)
	return b
}

// start empties the log.
func (b *byHand) start() *byHand {
	b.l = &metaLog{}
	for range b.p.sources {
		b.l.values, b.l.notes = append(b.l.values, make([][][]byte, b.p.width)), append(b.l.notes, make([][]string, b.p.width))
	}
	return b
}

// send appends an event of time at seconds.
func (b *byHand) send(source int, partition int32, id, k string, at float64, n int64) *byHand {
	h := &happening{values: map[string]any{"id": id, "k": k, "at": int64(at * 1000), "n": n, "x": 0.5, "u": int64(len(b.l.values[source][partition]))}, codes: []int64{1}}
	b.l.values[source][partition] = append(b.l.values[source][partition], b.p.sources[source].encode(h, newRng(1, 1)))
	b.l.notes[source][partition] = append(b.l.notes[source][partition], "")
	return b
}

// cut ends a stretch, with a decision for all partitions: marks in ms, never for none.
func (b *byHand) cut(mark int64) *byHand {
	c := metaCut{}
	for s := range b.l.values {
		var at []int
		for p := range b.l.values[s] {
			at = append(at, len(b.l.values[s][p]))
			if mark != never {
				c.raises = append(c.raises, metaRaise{s, int32(p), mark})
			}
		}
		c.at = append(c.at, at)
	}
	b.l.cuts = append(b.l.cuts, c)
	return b
}

// check runs the case in many schedules.
func (b *byHand) check(t *testing.T) *metaCase {
	t.Helper()
	c, err := compile(b.p, t.TempDir())
	if err != nil {
		t.Fatalf("%v\n%s", err, b.p.yaml())
	}
	k := &metaCase{p: b.p, plan: c.plan, log: b.l}
	if err := k.run(20); err != nil {
		t.Errorf("%v\n%s", err, k)
	}
	return k
}

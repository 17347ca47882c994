package pipeline

import (
	"os"
	"path/filepath"
	"testing"
)

// TestEvalDoesNotAllocate: rules, lets, expressions that are compiled, unnested elements and joined rows cost no
// allocation an event.
func TestEvalDoesNotAllocate(t *testing.T) {
	const event = `{"id":7,"other":3,"km":150.5,"fare":"12.50","at":"2013-01-01T05:00:00Z","items":["a","b"],"names":[]}`
	load := func(text string) *bench {
		b := &bench{t: t, dir: t.TempDir()}
		if err := os.WriteFile(filepath.Join(b.dir, "e.avsc"), []byte(fingerprintSchema), 0o644); err != nil {
			t.Fatal(err)
		}
		b.compile(text)
		return b
	}
	value := func(b *bench) []byte {
		v, err := b.plan.Sources[0].Source.FromJSON(nil, []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	single := load(`source: {topic: e, format: avro-raw, schema: {file: e.avsc}, event_id: [id], event_time: at, key: [id], unnest: items}
let: {far: km > 100.0}
rules:
  - {name: sane, expect: km >= 0.0, else: quarantine}
  - {name: seen, expect: far, else: count}
outputs:
  - {name: o, group_by: [id, {half: other / 2}], window: {hopping: {size: 1h, every: 15m}}, aggregate: {n: count(), far: count_if(far), p: "quantile(km * 2.0, 0.5)"}}`)
	text := value(single)
	if n := testing.AllocsPerRun(200, func() {
		if err := single.eval.Decode(0, text); err != nil {
			t.Fatal(err)
		}
		for i := range single.eval.Elements() {
			if fate, err := single.eval.Element(i); err != nil || fate.Outcome != Keep {
				t.Fatal(fate, err)
			}
		}
		single.eval.PartitionOf(4)
	}); n != 0 {
		t.Errorf("a single source: %v allocations", n)
	}
	joined := load(joinedTwo)
	text = value(joined)
	var left, right, key []byte
	if n := testing.AllocsPerRun(200, func() {
		if err := joined.eval.Decode(0, text); err != nil {
			t.Fatal(err)
		}
		left = joined.eval.Row(left[:0])
		if err := joined.eval.Decode(1, text); err != nil {
			t.Fatal(err)
		}
		right, key = joined.eval.Row(right[:0]), joined.eval.JoinKey(key[:0])
		if fate, err := joined.eval.Joined(left, right, 1000, [16]byte{}); err != nil || fate.Outcome != Keep {
			t.Fatal(fate, err)
		}
	}); n != 0 {
		t.Errorf("a join: %v allocations", n)
	}
}

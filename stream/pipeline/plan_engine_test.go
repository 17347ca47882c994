package pipeline

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// TestPlanFeedsTheEngine: aggregates with parameters go from the file through the engine into curated records and back,
// and copies of an event with elements count once.
func TestPlanFeedsTheEngine(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(b.dir, "e.avsc"), []byte(fingerprintSchema), 0o644); err != nil {
		t.Fatal(err)
	}
	b.compile(`source: {topic: e, format: avro-raw, schema: {file: e.avsc}, event_id: [id], event_time: at, key: [other], unnest: items}
outputs:
  - {name: o, group_by: [other], window: {tumbling: 1d}, aggregate: {n: count(), top: "top_k(items, 2)", also: "top_k(items, 1)", h: "histogram(km, [10, 100])", fare: sum(fare), last: last(items), p: "quantile(km, 0.5)"}}`)
	engine, err := window.NewEngine(b.plan.Outputs, nil, window.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`{"id":1,"other":3,"km":5.0,"fare":"12.50","at":"2013-01-01T05:00:00Z","items":["a","b","a"],"names":[]}`,
		`{"id":2,"other":3,"km":50.0,"fare":"-0.25","at":"2013-01-01T06:00:00Z","items":["b","a"],"names":[]}`,
		`{"id":1,"other":3,"km":5.0,"fare":"12.50","at":"2013-01-01T05:00:00Z","items":["a","b","a"],"names":[]}`,
	} {
		if err := b.decode(0, line); err != nil {
			t.Fatal(err)
		}
		for i := range b.eval.Elements() {
			if _, err := b.eval.Element(i); err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Add(&b.eval.Input, window.NoWatermark); err != nil {
				t.Fatal(err)
			}
		}
	}
	rows, codec := 0, b.plan.Codecs[0]
	err = engine.Close(math.MaxInt64, func(r *window.Result) error {
		rows++
		row := curated.Row{Key: r.Key, Start: r.Start, End: r.End, Values: r.Values, Status: curated.Closed, Events: r.Events, Duplicates: r.Duplicates, Pipeline: "p"}
		var got curated.Row
		if err := codec.Decode(codec.AppendKey(nil, &row), codec.AppendValue(nil, &row), &got); err != nil {
			return err
		}
		want := []string{"5", `[{"value":"a","count":3},{"value":"b","count":2}]`, `[{"value":"a","count":3}]`, "[3,2,0]", "37.00", "a"}
		for i, text := range want {
			if have := codec.FormatValue(i, got.Values[i]); have != text {
				t.Errorf("aggregate %d is %s, want %s", i, have, text)
			}
		}
		if got.Events != 5 || got.Duplicates != 3 {
			t.Errorf("events %d, duplicates %d", got.Events, got.Duplicates)
		}
		return nil
	})
	if err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

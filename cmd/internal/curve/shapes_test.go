package curve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

const source = `{topic: %s, format: avro-raw, schema: {file: ./e.avsc}, event_time: at, %swatermark: {max_out_of_orderness: 5m}}`

// shapes are pipelines of every kind, and in how many of them corrections are windows that late events miss.
var shapes = map[string]string{
	"tumbling": "source: " + fmt.Sprintf(source, "a", "key: [k], ") + `
outputs: [{name: o, group_by: [k], window: {tumbling: 1h}, allowed_lateness: 7m, aggregate: {n: count()}}]`,
	"hopping": "source: " + fmt.Sprintf(source, "a", "key: [k], ") + `
outputs: [{name: o, group_by: [k], window: {hopping: {size: 1h, every: 15m}}, aggregate: {n: count()}}]`,
	"rekeyed, two outputs": "source: " + fmt.Sprintf(source, "a", "") + `
rules: [{name: r, when: "n % 5 == 0", then: filter}]
outputs:
  - {name: o, group_by: [k], window: {tumbling: 1h}, aggregate: {n: count()}}
  - {name: p, group_by: [], window: {tumbling: 20m}, allowed_lateness: 3m, aggregate: {n: count()}}`,
	"session": "source: " + fmt.Sprintf(source, "a", "key: [k], ") + `
outputs: [{name: o, group_by: [k], window: {session: {gap: 10m, within: 1d}}, allowed_lateness: 4m, aggregate: {n: count()}}]`,
	"join": "sources:\n  a: " + fmt.Sprintf(source, "a", "key: [k], ") + "\n  b: " + fmt.Sprintf(source, "b", "key: [k], ") + `
join: {interval: {left: a, right: b, on: {a: [k], b: [k]}, between: [0s, 1m]}, allowed_lateness: 9m}
outputs: [{name: o, group_by: [a.k], window: {tumbling: 1h}, aggregate: {n: count()}}]`,
}

// As it is, the curve counts what the stream counts: late events, and the windows that reconciling will correct.
func TestTheCurveCountsWhatTheStreamCounts(t *testing.T) {
	for name, text := range shapes {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"p.yaml": "apiVersion: tidemark/v1\npipeline: p\nkafka: {brokers: [localhost:1]}\n" + text,
				"e.avsc": `{"type":"record","name":"E","fields":[{"name":"k","type":"string"},{"name":"n","type":"long"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p, err := pipeline.Load(filepath.Join(dir, "p.yaml"), os.LookupEnv)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := p.Compile()
			if err != nil {
				t.Fatal(err)
			}
			compareWithStream(t, plan)
		})
	}
}

func compareWithStream(t *testing.T, plan *pipeline.Plan) {
	t.Helper()
	const width = 3
	d, err := streamtest.NewDriver(plan, width)
	if err != nil {
		t.Fatal(err)
	}
	r, eval := rand.New(rand.NewPCG(7, 4)), plan.NewEval()
	c := New(plan, []Setting{Own}, math.MinInt64)
	parts := map[[2]int]*Partition{}
	offsets := map[[2]int]int64{}
	for n := range 600 {
		at := time.Date(2013, 1, 9, 10, n/4, n%60, 0, time.UTC).Add(-time.Duration(r.ExpFloat64()*20) * time.Minute)
		source := r.IntN(len(plan.Sources))
		value, err := d.Encode(source, fmt.Appendf(nil, `{"k":%q,"n":%d,"at":%q}`, string(rune('a'+r.IntN(5))), n, at.Format(time.RFC3339)))
		if err != nil {
			t.Fatal(err)
		}
		if err := eval.Decode(source, value); err != nil {
			t.Fatal(err)
		}
		number := eval.PartitionOf(width)
		if number < 0 {
			number = r.Int32N(width)
		}
		if _, err := d.Feed(source, number, value); err != nil {
			t.Fatal(err)
		}
		at2 := [2]int{source, int(number)}
		if parts[at2] == nil {
			parts[at2] = c.Partition(source, number)
		}
		if err := parts[at2].Record(offsets[at2], value); err != nil {
			t.Fatal(err)
		}
		offsets[at2]++
	}
	want := d.Counters()
	got := c.Points()[0]
	if got.Late != want.Late || want.Late == 0 || c.Filtered != want.Filtered {
		t.Errorf("late %d, filtered %d; the stream says %d and %d", got.Late, c.Filtered, want.Late, want.Filtered)
	}
	if c.joins || plan.Outputs[0].Session() {
		return
	}
	if windows := corrections(t, plan, d); got.Windows != windows {
		t.Errorf("%d windows to correct, reconciling corrects %d", got.Windows, windows)
	}
}

// corrections is how many windows the stream has closed with another value than the batch, or without one.
func corrections(t *testing.T, plan *pipeline.Plan, d *streamtest.Driver) int {
	t.Helper()
	if err := d.End(); err != nil {
		t.Fatal(err)
	}
	place := func(r streamtest.Row) string { return fmt.Sprint(r.Output, r.Key, r.Start) }
	have := map[string]int64{}
	for _, row := range d.Rows() {
		have[place(row)] = row.Values[0].Int()
	}
	n := 0
	for i := range plan.Outputs {
		rows, err := d.Batch(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if have[place(row)] != row.Values[0].Int() {
				n++
			}
		}
	}
	return n
}

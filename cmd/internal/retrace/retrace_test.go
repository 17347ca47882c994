package retrace

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/sourcelog"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/window"
)

const readings = `{"type":"record","name":"Reading","fields":[
 {"name":"station","type":"string"},{"name":"number","type":"long"},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"celsius","type":["null","double"],"default":null}]}`

const preamble = `apiVersion: tidemark/v1
pipeline: weather
kafka: {brokers: [localhost:9092]}
`

const keyed = `source: {topic: a, format: avro-raw, schema: {file: ./readings.avsc}, event_id: [number], event_time: at, key: [station], watermark: {max_out_of_orderness: 5m}}
rules: [{name: warm, expect: "celsius == null || celsius < 18.0", else: quarantine}]
`

const unkeyed = `source: {topic: a, format: avro-raw, schema: {file: ./readings.avsc}, event_id: [number], event_time: at, watermark: {max_out_of_orderness: 5m}}
`

const twoSources = `sources:
  a: {topic: a, format: avro-raw, schema: {file: ./readings.avsc}, event_id: [number], event_time: at, key: [station]}
  b: {topic: b, format: avro-raw, schema: {file: ./readings.avsc}, event_id: [number], event_time: at, key: [station]}
`

// shapes are pipelines of every kind.
var shapes = map[string]string{
	"tumbling": keyed + "outputs: [{name: o, group_by: [station], window: {tumbling: 1h}, aggregate: {n: count(), mean: mean(celsius)}}]",
	"hopping":  keyed + "outputs: [{name: o, group_by: [station], window: {hopping: {size: 1h, every: 20m}}, allowed_lateness: 5m, aggregate: {n: count()}}]",
	"session":  keyed + "outputs: [{name: o, group_by: [station], window: {session: {gap: 10m, within: 1d}}, aggregate: {n: count()}}]",
	"rekeyed":  unkeyed + "outputs: [{name: o, group_by: [station], window: {tumbling: 1h}, aggregate: {n: count(), last: last(celsius)}}]",
	"two outputs": keyed + `outputs:
  - {name: o, group_by: [station], window: {tumbling: 1h}, aggregate: {n: count()}}
  - {name: p, group_by: [station], window: {tumbling: 1d}, aggregate: {n: count()}}`,
	"co-group": twoSources + `outputs: [{name: o, group_by: [{station: "a.station != null ? a.station : b.station"}], window: {tumbling: 1h}, aggregate: {n: count(), warmest: max(b.celsius)}}]`,
	"join": twoSources + `join: {interval: {left: a, right: b, on: {a: [station], b: [station]}, between: [-5m, 5m]}, allowed_lateness: 2m}
outputs: [{name: o, group_by: [a.station], window: {tumbling: 1h}, aggregate: {n: count(), warmest: max(b.celsius)}}]`,
	"enrich": twoSources + `enrich: {source: a, with: b, on: {a: [station], b: [station]}, allowed_lateness: 2m}
outputs: [{name: o, group_by: [a.station], window: {tumbling: 1h}, aggregate: {n: count(), warmest: max(b.celsius)}}]`,
}

func compiled(t *testing.T, text string) (plan *pipeline.Plan, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "p.yaml")
	for name, text := range map[string]string{file: preamble + text, filepath.Join(dir, "readings.avsc"): readings} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.Load(file, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = p.Compile(); err != nil {
		t.Fatal(err)
	}
	return plan, file
}

// history is a random log over two partitions, and what the driver makes of it.
func history(t *testing.T, plan *pipeline.Plan, r *rand.Rand) (*streamtest.Driver, []*sourcelog.Log) {
	t.Helper()
	const width = 2
	d, err := streamtest.NewDriver(plan, width)
	if err != nil {
		t.Fatal(err)
	}
	eval := plan.NewEval()
	logs := make([]map[int32][]sourcelog.Record, len(plan.Sources))
	for i := range logs {
		logs[i] = map[int32][]sourcelog.Record{}
	}
	start := time.Date(2013, 1, 9, 10, 0, 0, 0, time.UTC)
	for n := range 250 {
		at := start.Add(time.Duration(n)*time.Minute + time.Duration(r.IntN(60))*time.Second)
		switch r.IntN(8) {
		case 0:
			at = at.Add(-time.Duration(r.IntN(200)) * time.Minute)
		case 1:
			n = max(0, n-1-r.IntN(5)) // perhaps a copy
			at = start.Add(time.Duration(n) * time.Minute)
		}
		source := r.IntN(len(plan.Sources))
		value, err := d.Encode(source, fmt.Appendf(nil, `{"station":%q,"number":%d,"at":%q,"celsius":%d}`, []string{"oslo", "rome", "bonn"}[n%3], n, at.Format(time.RFC3339), n%20))
		if err != nil {
			t.Fatal(err)
		}
		if err := eval.Decode(source, value); err != nil {
			t.Fatal(err)
		}
		p := eval.PartitionOf(width)
		if p < 0 {
			p = r.Int32N(width)
		}
		logs[source][p] = append(logs[source][p], sourcelog.Record{Partition: p, Offset: int64(len(logs[source][p])), Timestamp: int64(n), Value: value})
		if _, err := d.Feed(source, p, value); err != nil {
			t.Fatal(err)
		}
	}
	out := make([]*sourcelog.Log, len(logs))
	for i := range logs {
		for p := range int32(width) {
			logs[i][p] = append(logs[i][p], []sourcelog.Record{}...)
		}
		out[i] = sourcelog.FromMemory(logs[i])
	}
	return d, out
}

// The value at the end of each replay is the one that the stream gave out (invariant 1), for every window of pipelines of
// every kind; and what is exported has passed and has that row (invariant 4).
func TestReplayEndsWhereTheStreamDid(t *testing.T) {
	for name, text := range shapes {
		t.Run(name, func(t *testing.T) {
			plan, file := compiled(t, text)
			verdicts, exported := map[string]int{}, 0
			for seed := range uint64(2) {
				d, logs := history(t, plan, rand.New(rand.NewPCG(seed, 1)))
				for i, row := range d.Rows() {
					if row.Output != "o" {
						continue
					}
					tr := replayed(t, plan, logs, row)
					check(t, plan, tr, row)
					for _, s := range tr.Steps {
						verdicts[s.Verdict]++
					}
					if tr.joins() || i%3 > 0 {
						continue
					}
					exported++
					if _, err := tr.Export(filepath.Join(filepath.Dir(file), "x_test.yaml"), file, os.LookupEnv); err != nil {
						t.Errorf("export of %s: %v", time.UnixMilli(row.Start).UTC(), err)
					}
				}
			}
			if verdicts[Closed] < 10 || verdicts[Aggregated]+verdicts[Joined] < 50 || exported < 3 && !strings.Contains(text, "enrich") && !strings.Contains(text, "join") {
				t.Errorf("too little was seen: %v, %d exported", verdicts, exported)
			}
			if !strings.Contains(text, "sources") && (verdicts[Duplicate] == 0 || verdicts[Late]+verdicts[Missed] == 0) {
				t.Errorf("no event was late or twice: %v", verdicts)
			}
		})
	}
}

func replayed(t *testing.T, plan *pipeline.Plan, logs []*sourcelog.Log, row streamtest.Row) *Trace {
	t.Helper()
	span, err := Find(plan, 0, row.Start)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(plan, Partitions(logs), Target{Output: 0, Key: row.Key, Span: span})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Read(t.Context(), logs, nil); err != nil {
		t.Fatal(err)
	}
	return tr
}

// check looks for the row among the windows that closed, and for its value before it did.
func check(t *testing.T, plan *pipeline.Plan, tr *Trace, row streamtest.Row) {
	t.Helper()
	show := func(s *Step) string {
		text := fmt.Sprint(time.UnixMilli(s.Start).UTC(), time.UnixMilli(s.End).UTC())
		for i, v := range s.Values {
			text += " " + plan.Codecs[0].FormatValue(i, v)
		}
		return text
	}
	want := show(&Step{Start: row.Start, End: row.End, Values: row.Values})
	before := ""
	for i := range tr.Steps {
		s := &tr.Steps[i]
		if s.Verdict != Closed {
			if s.Verdict == Aggregated || s.Verdict == Joined {
				before = show(s)
			}
			continue
		}
		if show(s) == want {
			// What an enrichment has held enters a window as it closes.
			if before != want && !plan.Outputs[0].Session() && plan.Shape != pipeline.Enrich {
				t.Errorf("the window closed as %s; the last event left it as %s", want, before)
			}
			return
		}
	}
	t.Errorf("the stream gave out %s; the replay has %d steps without it", want, len(tr.Steps))
}

// Windows that overlap are named by their start.
func TestFind(t *testing.T) {
	plan, _ := compiled(t, shapes["hopping"])
	at := time.Date(2013, 1, 9, 10, 20, 0, 0, time.UTC).UnixMilli()
	if s, err := Find(plan, 0, at); err != nil || s != (window.Span{Start: at, End: at + 3_600_000}) {
		t.Errorf("%v %v", s, err)
	}
	if _, err := Find(plan, 0, at+1); err == nil || !strings.Contains(err.Error(), "2013-01-09T10:20:00Z") {
		t.Errorf("%v", err)
	}
}

// A cut ends the replay before an offset.
func TestCut(t *testing.T) {
	plan, _ := compiled(t, shapes["tumbling"])
	d, logs := history(t, plan, rand.New(rand.NewPCG(9, 1)))
	row := d.Rows()[0]
	all := replayed(t, plan, logs, row)
	last := all.Steps[0]
	tr, err := New(plan, 2, Target{Output: 0, Key: row.Key, Span: window.Span{Start: row.Start, End: row.End}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Read(t.Context(), logs, Cut{0: {last.Place.Partition: last.Place.Offset + 1}}); err != nil {
		t.Fatal(err)
	}
	if len(tr.Steps) != 1 || tr.Steps[0].Place != last.Place {
		t.Errorf("%d steps, want the first of %d", len(tr.Steps), len(all.Steps))
	}
}

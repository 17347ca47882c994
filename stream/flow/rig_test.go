package flow

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

const rigSchema = `{"type":"record","name":"click","fields":[{"name":"id","type":"string"},{"name":"user","type":"string"},{"name":"page","type":"string"},
{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"ms","type":"long"},{"name":"items","type":{"type":"array","items":"string"}}]}`

const rigHead = `apiVersion: tidemark/v1
pipeline: rig
kafka: {brokers: ["localhost:1"]}
lake: {bucket: "file://./lake"}
`

// click is a source of the rig: out of order by 30 s, far ahead beyond 24 h unless another agrees.
func click(topic, more string) string {
	return `{topic: ` + topic + `, format: json, schema: {file: click.avsc}, event_time: at, ` + more + `,
    watermark: {max_out_of_orderness: 30s, max_future: 24h, confirm: 1}}`
}

// compile makes a plan of what comes behind the rig's head.
func compile(t *testing.T, text string) *pipeline.Plan {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"click.avsc": rigSchema, "rig.yaml": rigHead + text} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.Load(filepath.Join(dir, "rig.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

const rekeyedTwo = `outputs:
  - {name: by-user, group_by: [user], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {n: count(), ms: sum(ms)}}
  - {name: by-page, group_by: [page], window: {hopping: {size: 20m, every: 5m}}, aggregate: {n: count()}}
  - {name: visits, group_by: [user], window: {session: {gap: 4m, within: 1d}}, allowed_lateness: 2m, aggregate: {n: count()}}
`

// rig is one task without surroundings.
type rig struct {
	t       *testing.T
	plan    *pipeline.Plan
	flow    *Flow
	offset  []int64
	closed  []window.Result
	reports []Report
	letters map[int32][][]byte
}

func newRig(t *testing.T, plan *pipeline.Plan, width int32) *rig {
	t.Helper()
	r := &rig{t: t, plan: plan, offset: make([]int64, Inputs(plan)), letters: map[int32][][]byte{}}
	var err error
	if r.flow, err = New(plan, r, Options{Widths: slices.Repeat([]int32{width}, Inputs(plan))}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) Result(res *window.Result) error {
	kept := *res
	kept.Key, kept.Values = slices.Clone(res.Key), slices.Clone(res.Values)
	r.closed = append(r.closed, kept)
	return nil
}

func (r *rig) Report(rep *Report) error { r.reports = append(r.reports, *rep); return nil }

func (r *rig) Forward(partition int32, value []byte) error {
	r.letters[partition] = append(r.letters[partition], slices.Clone(value))
	return nil
}

// rigEpoch is the start of a day, ms.
const rigEpoch = int64(1_357_689_600_000)

const minute = int64(60_000)

// event is one of user u, at a minute of the rig's day.
func event(id, user, page string, at int64, ms int) []byte {
	return fmt.Appendf(nil, `{"id":%q,"user":%q,"page":%q,"at":%d,"ms":%d,"items":[]}`, id, user, page, at, ms)
}

// try takes a record of partition 0, or says which error it met.
func (r *rig) try(input int, value []byte) (Outcome, error) {
	at := Place{Offset: r.offset[input]}
	if err := r.flow.Look(input, at, value); err != nil {
		return 0, err
	}
	r.offset[input]++
	return r.flow.Take(at)
}

func (r *rig) take(input int, value []byte, want Outcome) {
	r.t.Helper()
	got, err := r.try(input, value)
	if err != nil {
		r.t.Fatal(err)
	}
	if got != want {
		r.t.Errorf("%s is %s, want %s", value, got, want)
	}
	if c := r.flow.Counters(); !c.Balanced() {
		r.t.Errorf("law L3: %+v", *c)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

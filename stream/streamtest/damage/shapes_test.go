package damage_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// width is how many partitions every topic has.
const width = 2

const clickSchema = `{"type":"record","name":"Click","fields":[
 {"name":"id","type":"string"},{"name":"user","type":"string"},{"name":"page","type":["null","string"]},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"ms","type":"long"}]}`

const shapeHead = `apiVersion: tidemark/v1
pipeline: shape
kafka: {brokers: ["127.0.0.1:9092"]}
`

const shapeTail = `lake: {bucket: "file://./lake", roll: {every: 1m, bytes_max: 1MiB}}
reconcile: {settle: 0s, guard: {max_changed_windows: 100%, else: publish}}
state: {dir: state, memory_max: 64MiB, checkpoint_every: 1s, keep: 3}
commit: {every: 20ms}
`

const clickSource = `{topic: %s, format: json, schema: {file: click.avsc}, event_id: [id], event_time: at, %s
    watermark: {max_out_of_orderness: 30s, max_future: 24h, confirm: 1, idle_after: 1d, close_when_idle: 0s}}`

// shapes are pipelines of each way in which events come to windows.
var shapes = map[string]string{
	"tumbling": `source: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
outputs:
  - {name: by-user, group_by: [user], window: {tumbling: 10m}, allowed_lateness: 2m, aggregate: {clicks: count(), ms: sum(ms), users: approx_distinct(page)}}
  - {name: slow, group_by: [user, page], window: {tumbling: 25m}, allowed_lateness: 10m, aggregate: {slowest: max(ms), p90: "quantile(ms, 0.9)"}}
`,
	"rekeyed": `source: ` + fmt.Sprintf(clickSource, "clicks", "") + `
outputs:
  - {name: by-user, group_by: [user], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {clicks: count(), ms: sum(ms)}}
  - {name: by-page, group_by: [page], window: {hopping: {size: 20m, every: 5m}}, allowed_lateness: 2m, aggregate: {clicks: count(), users: approx_distinct(user)}}
`,
	"sessions": `source: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
rules:
  - {name: slow, when: "ms > 900", then: filter}
  - {name: sane, expect: "ms != 13", else: quarantine}
outputs:
  - {name: visits, group_by: [user], window: {session: {gap: 4m, within: 1d}, timezone: America/New_York}, allowed_lateness: 1m, aggregate: {clicks: count(), first: first(page), last: last(page)}}
`,
	"join": `sources:
  clicks: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
  orders: ` + fmt.Sprintf(clickSource, "orders", "key: [user],") + `
join: {interval: {left: clicks, right: orders, on: {clicks: [user], orders: [user]}, between: [-1m, 3m]}, allowed_lateness: 1m}
outputs:
  - {name: bought, group_by: [clicks.user], window: {tumbling: 10m}, aggregate: {pairs: count(), ms: sum(orders.ms), last: last(clicks.page)}}
`,
	"enriched": `sources:
  clicks: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
  profiles: ` + fmt.Sprintf(clickSource, "orders", "key: [user],") + `
enrich: {source: clicks, with: profiles, on: {clicks: [user], profiles: [user]}, allowed_lateness: 1m}
outputs:
  - {name: enriched, group_by: [clicks.user], window: {tumbling: 10m}, aggregate: {clicks: count(), known: count(profiles.id), ms: sum(profiles.ms)}}
`,
}

// shapeNames in a fixed order, the plainest first.
var shapeNames = []string{"tumbling", "rekeyed", "sessions", "join", "enriched"}

// compiled makes the plan of a shape. Checkpoints are due at every turn of the loop.
func compiled(t testing.TB, name string) *pipeline.Plan {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"click.avsc": clickSchema, "shape.yaml": shapeHead + shapes[name] + shapeTail} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.Load(filepath.Join(dir, "shape.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	p.State.CheckpointEvery = time.Nanosecond
	p.Dir = "/" // of a disk in memory: the same path in every run
	return plan
}

// sent is one record to produce.
type sent struct {
	source    int
	partition int32
	value     []byte
}

// generate makes events of every source: late ones, copies (of an unkeyed topic in any partition), values that are no event.
func generate(plan *pipeline.Plan, seed uint64, events int) (log []sent) {
	r := rand.New(rand.NewPCG(seed, 7))
	send := func(source int, user, text string) {
		partition := curated.Partition([]byte(user), width)
		if len(plan.Sources[source].Spec.Key) == 0 {
			partition = r.Int32N(width)
		}
		log = append(log, sent{source, partition, []byte(text)})
	}
	now := int64(1_362_880_000_000) // hours before clocks are set forward in New York, on 10 March 2013
	for i := range events {
		now += int64(r.IntN(90_000))
		source := r.IntN(len(plan.Sources))
		at := now - int64(r.IntN(40_000))
		if r.IntN(8) == 0 {
			at -= int64(r.IntN(7_200_000))
		}
		user := fmt.Sprintf("u%d", r.IntN(5))
		page := "null"
		if r.IntN(4) > 0 {
			page = fmt.Sprintf(`"p%d"`, r.IntN(4))
		}
		text := fmt.Sprintf(`{"id":"e%d","user":%q,"page":%s,"at":%d,"ms":%d}`, i, user, page, at, r.IntN(1000))
		if r.IntN(30) == 0 {
			text = text[:r.IntN(len(text))]
		}
		send(source, user, text)
		if r.IntN(6) == 0 {
			send(source, user, text)
		}
	}
	return log
}

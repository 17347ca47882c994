package trial

import (
	"fmt"
	"maps"
	"slices"
)

// Shapes are the names of the shapes that there are, in order.
func Shapes() []string { return slices.Sorted(maps.Keys(pipelines)) }

const clickSchema = `{"type":"record","name":"Click","fields":[
 {"name":"id","type":"string"},{"name":"user","type":"string"},{"name":"page","type":["null","string"]},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"ms","type":"long"}]}`

// head and tail are what they have in common.
const head = `apiVersion: tidemark/v1
pipeline: shape
kafka: {brokers: [%q]}
`

const tail = `lake: {bucket: "file://./lake", roll: {every: 1m, bytes_max: 1MiB}}
reconcile: {settle: 0s, guard: {max_changed_windows: 100%, else: publish}}
state: {dir: state, memory_max: 192MiB, checkpoint_every: 1s, keep: 3}
commit: {every: 20ms}
`

const clickSource = `{topic: %s, format: json, schema: {file: click.avsc}, event_id: [id], event_time: at, %s
    watermark: {max_out_of_orderness: 30s, max_future: 24h, confirm: 1, idle_after: 1d, close_when_idle: 0s}}`

// pipelines are of every way in which events come to windows.
var pipelines = map[string]string{
	"rekeyed": `source: ` + fmt.Sprintf(clickSource, "clicks", "") + `
outputs:
  - {name: by-user, group_by: [user], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {clicks: count(), ms: sum(ms)}}
  - {name: by-page, group_by: [page], window: {hopping: {size: 20m, every: 5m}}, allowed_lateness: 2m, aggregate: {clicks: count(), users: approx_distinct(user)}}
  - {name: all, group_by: [], window: {tumbling: 1h}, aggregate: {clicks: count(), slowest: "top_k(user, 2)"}}
`,
	"sessions": `source: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
rules:
  - {name: slow, when: "ms > 900", then: filter}
  - {name: sane, expect: "ms != 13", else: quarantine}
outputs:
  - {name: visits, group_by: [user], window: {session: {gap: 4m, within: 1d}, timezone: America/New_York}, allowed_lateness: 1m, aggregate: {clicks: count(), first: first(page), last: last(page)}}
  - {name: days, group_by: [user], window: {tumbling: 1d, timezone: America/New_York}, allowed_lateness: 1m, emit: {on_update: 1s}, aggregate: {clicks: count(), p90: "quantile(ms, 0.9)"}}
`,
	"interval": `sources:
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
	"cogroup": `sources:
  clicks: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
  orders: ` + fmt.Sprintf(clickSource, "orders", "key: [user],") + `
let: {who: "clicks.user != null ? clicks.user : orders.user"}
outputs:
  - {name: both, group_by: [who], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {clicks: count(clicks.id), orders: count(orders.id), ms: max(orders.ms)}}
`,
}

package streamtest

// The orders pipeline is what generated logs run through: two outputs of different windows and lateness over one
// fetch, every aggregate, every numeric type, a nullable field and an expression.

// OrdersSchema is the writer schema of a generated event.
const OrdersSchema = `{"type":"record","name":"Order","namespace":"test","fields":[
 {"name":"id","type":"string"},
 {"name":"customer","type":"string"},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"sent_at","type":"long"},
 {"name":"amount","type":"double"},
 {"name":"quantity","type":"long"},
 {"name":"weight","type":"float"},
 {"name":"pieces","type":"int"},
 {"name":"discount","type":["null","double"]},
 {"name":"tags","type":{"type":"array","items":"string"}}]}`

// OrdersYAML is the pipeline file; the fields sent_at and tags are in the events and read by nobody.
const OrdersYAML = `apiVersion: tidemark/v1
pipeline: orders
kafka: {brokers: [%q]}
source:
  topic: orders
  format: avro-raw
  schema: {file: orders.avsc}
  event_id: [id]
  event_time: at
  key: [customer]
  watermark: {max_out_of_orderness: 60s, max_future: 24h, confirm: 3, idle_after: 1d, close_when_idle: 0s}
let:
  big: amount > 100.0
outputs:
  - name: orders-10m
    group_by: [customer]
    window: {tumbling: 10m}
    allowed_lateness: 2m
    aggregate:
      orders: count()
      big: count_if(big)
      amount: sum(amount)
      mean_amount: mean(amount)
      least: min(amount)
      quantity: sum(quantity)
      mean_quantity: mean(quantity)
      heaviest: max(weight)
      fewest: min(pieces)
      discount: sum(discount)
    topic: {partitions: 3}
  - name: orders-7m
    group_by: [customer, pieces]
    window: {tumbling: 7m}
    allowed_lateness: 15m
    aggregate:
      orders: count()
      weight: sum(weight)
      most: max(quantity)
lake: {bucket: %q, roll: {every: %s, bytes_max: 1MiB}}
reconcile: {settle: 0s, guard: {max_changed_windows: 100%%, else: publish}}
state: {dir: %q, memory_max: 192MiB, checkpoint_every: 1s, keep: 3}
commit: {every: 20ms}
`

// OrdersOutputs is what the oracle must know of the pipeline, in its own words.
func OrdersOutputs() []OracleOutput {
	const minute = 60_000
	return []OracleOutput{{
		Name: "orders-10m", Size: 10 * minute, Group: []string{"customer"},
		Aggregates: []OracleAggregate{
			{"orders", "count", nil}, {"big", "count", func(e Fact) any { return yes(e["amount"].(float64) > 100) }},
			{"amount", "sum", field("amount")}, {"mean_amount", "mean", field("amount")}, {"least", "min", field("amount")},
			{"quantity", "sum", field("quantity")}, {"mean_quantity", "mean", field("quantity")},
			{"heaviest", "max", field("weight")}, {"fewest", "min", field("pieces")}, {"discount", "sum", field("discount")},
		},
	}, {
		Name: "orders-7m", Size: 7 * minute, Group: []string{"customer", "pieces"},
		Aggregates: []OracleAggregate{{"orders", "count", nil}, {"weight", "sum", field("weight")}, {"most", "max", field("quantity")}},
	}}
}

func field(name string) func(Fact) any { return func(e Fact) any { return e[name] } }

// yes makes a condition countable: null is not counted.
func yes(b bool) any {
	if b {
		return true
	}
	return nil
}

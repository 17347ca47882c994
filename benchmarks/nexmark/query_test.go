package nexmark

import (
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

const partitions = 2

// result is what a query comes to: per output what the stream publishes, and what stands after the corrections.
type result struct {
	stream, corrected []rows
	counters          flow.Counters
	plan              *pipeline.Plan
}

// tidemark runs a query over a log.
func tidemark(t *testing.T, query string, log []message) result {
	t.Helper()
	plan := load(t, query)
	d, err := streamtest.NewDriver(plan, partitions)
	must(t, err)
	feed(t, plan, d, log)
	must(t, d.End())
	r := result{plan: plan, counters: d.Counters()}
	for i := range plan.Outputs {
		var published []streamtest.Row
		for _, row := range d.Rows() {
			if row.Output == plan.Outputs[i].Name {
				published = append(published, row)
			}
		}
		batch, err := d.Batch(i)
		must(t, err)
		r.stream = append(r.stream, tell(t, plan, i, published))
		r.corrected = append(r.corrected, tell(t, plan, i, batch))
	}
	return r
}

func load(t testing.TB, query string) *pipeline.Plan {
	t.Helper()
	p, err := pipeline.LoadWith(query+".yaml", os.LookupEnv, pipeline.Extensions{Functions: functions})
	must(t, err)
	plan, err := p.Compile()
	must(t, err)
	return plan
}

// feed appends every record where its producer would put it.
func feed(t *testing.T, plan *pipeline.Plan, d *streamtest.Driver, log []message) {
	t.Helper()
	eval := plan.NewEval()
	for _, m := range log {
		for s := range plan.Sources {
			if plan.Sources[s].Topic != m.topic {
				continue
			}
			must(t, eval.Decode(s, m.text))
			d.Append(s, eval.PartitionOf(partitions), m.text)
		}
	}
}

// tell makes published rows comparable.
func tell(t *testing.T, plan *pipeline.Plan, output int, published []streamtest.Row) rows {
	t.Helper()
	out := rows{}
	for _, r := range published {
		row := []any{plan.Codecs[output].FormatKey(r.Key), r.Start, r.End}
		for i, v := range r.Values {
			row = append(row, native(t, v, plan.Outputs[output].Aggs[i].Result()))
		}
		out.add(t, r.Output, row)
	}
	return out
}

// native is a value as DuckDB's come out of JSON.
func native(t *testing.T, v schema.Value, of schema.Type) any {
	switch {
	case v.Kind == schema.KindNull:
		return nil
	case of.Raw != "":
		codec, err := goavro.NewCodec(of.Raw)
		must(t, err)
		datum, rest, err := codec.NativeFromBinary(v.Bytes)
		if err != nil || len(rest) > 0 {
			t.Fatalf("a composite value: %v, %d bytes left", err, len(rest))
		}
		return list(datum)
	case of.Decimal():
		return decimal(v.Bytes, of.Scale)
	case v.Kind == schema.KindInt:
		return v.Int()
	case v.Kind == schema.KindFloat:
		return v.Float()
	}
	return string(v.Bytes)
}

// list makes a list of an array, and of a {value, count}.
func list(datum any) any {
	switch d := datum.(type) {
	case []any:
		out := make([]any, len(d))
		for i := range d {
			out[i] = list(d[i])
		}
		return out
	case map[string]any:
		return []any{list(d["value"]), list(d["count"])}
	}
	return datum
}

func decimal(unscaled []byte, scale int) string {
	n := new(big.Int).SetBytes(unscaled)
	if len(unscaled) > 0 && unscaled[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(unscaled))))
	}
	return new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).FloatString(scale)
}

// operators names what a plan is made of, for the table.
func operators(plan *pipeline.Plan) string {
	var parts []string
	if plan.Shape != pipeline.Single {
		parts = append(parts, plan.Shape.String())
	}
	if plan.Rekeyed {
		parts = append(parts, "repartition")
	}
	if len(plan.RuleNames) > 0 {
		parts = append(parts, "rules")
	}
	if len(plan.Pipeline.Let) > 0 {
		parts = append(parts, "let")
	}
	o := &plan.Outputs[0]
	switch {
	case o.Session():
		parts = append(parts, "sessions")
	case o.Every > 0 && o.Every != o.Size:
		parts = append(parts, "hopping")
	default:
		parts = append(parts, "tumbling")
	}
	return strings.Join(parts, ", ")
}

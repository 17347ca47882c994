package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// subject is what a life is about: a pipeline, what is sent to it, and what must come of it.
type subject struct {
	plan     *pipeline.Plan
	width    int32
	messages []message
	distant  bool // events of the far future: their units wait
	// truth is what must be in force in the end, by output and text of the window.
	truth func() ([]map[string]string, error)
	// read makes the window and the values of a published record comparable to the truth's.
	read func(output int, r *kafka.Record) (published, error)
}

type message struct {
	source    int
	partition int32
	key, val  []byte
}

// published is one record of a curated topic.
type published struct {
	window, values  string
	revision        int64
	open, retracted bool
}

// compiled is a pipeline that was compiled once for all lives.
type compiled struct {
	plan   *pipeline.Plan
	codecs []*goavro.Codec
}

func compile(t *testing.T, files map[string]string) (*compiled, error) {
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	p, err := pipeline.Load(filepath.Join(dir, "pipeline.yaml"), os.LookupEnv)
	if err != nil {
		return nil, err
	}
	plan, err := p.Compile()
	if err != nil {
		return nil, err
	}
	c := &compiled{plan: plan}
	for i := range plan.Outputs {
		codec, err := goavro.NewCodec(plan.Codecs[i].ValueSchema())
		if err != nil {
			return nil, err
		}
		c.codecs = append(c.codecs, codec)
	}
	return c, nil
}

// tuned is the plan with a life's own schedule. Nothing of it decides a result.
func (c *compiled) tuned(d *drawn) *pipeline.Plan {
	plan, p := *c.plan, *c.plan.Pipeline
	p.State.Dir, p.State.CheckpointEvery, p.State.Keep, p.State.MemoryMax = "/state", d.checkpoint, d.keep, 16<<20
	p.Kafka.SessionTimeout, p.Kafka.TransactionTimeout = d.session, d.transaction
	p.Commit.Every, p.Lake.Roll.Every, p.Lake.Roll.BytesMax = d.commit, d.roll, d.rollBytes
	plan.Sources = slices.Clone(plan.Sources)
	for i := range plan.Sources {
		spec := *plan.Sources[i].Spec
		spec.Watermark.IdleAfter, spec.Watermark.CloseWhenIdle = d.idleAfter, d.closeWhenIdle
		plan.Sources[i].Spec = &spec
	}
	plan.Pipeline = &p
	return &plan
}

func compileOrders(t *testing.T) (*compiled, error) {
	yaml := fmt.Sprintf(streamtest.OrdersYAML, "127.0.0.1:9092", "file://./lake", "1s", "/state")
	return compile(t, map[string]string{"orders.avsc": streamtest.OrdersSchema, "pipeline.yaml": yaml})
}

// orders draws a log of the orders pipeline.
func (c *compiled) orders(rng *rand.Rand, d *drawn) *subject {
	profile := streamtest.Profile{
		Seed: rng.Uint64(), Events: 20 + rng.IntN(120), Customers: 1 + rng.IntN(6),
		Late: pick(rng, 0, 0.05, 0.2), Duplicates: pick(rng, 0, 0.05, 0.2), Conflicts: pick(rng, 0, 0.05), Invalid: pick(rng, 0, 0.05),
		FarFuture: pick(rng, 0, 0, 2), Gaps: pick(rng, 0, 0, 2),
	}
	s := &subject{plan: c.tuned(d), width: int32(1 + rng.IntN(2)), read: c.readOrder}
	s.distant = profile.FarFuture > 0
	log := profile.Log()
	for _, m := range log {
		s.messages = append(s.messages, message{partition: curated.Partition([]byte(m.Key), s.width), key: []byte(m.Key), val: m.Value})
	}
	s.truth = func() ([]map[string]string, error) { return orderTruth(log) }
	return s
}

// orderTruth is the oracle, without the windows that only unconfirmed events of the far future fall into.
func orderTruth(log []streamtest.Message) ([]map[string]string, error) {
	var payloads [][]byte
	for _, m := range log {
		if m.Value != nil {
			payloads = append(payloads, m.Value)
		}
	}
	read := []string{"id", "at", "customer", "amount", "quantity", "weight", "pieces", "discount"}
	outputs := streamtest.OrdersOutputs()
	truth, err := streamtest.Oracle(streamtest.OrdersSchema, payloads, read, "at", outputs)
	if err != nil {
		return nil, err
	}
	const year2090 = 3_786_912_000_000
	all := make([]map[string]string, len(outputs))
	for i := range outputs {
		all[i] = map[string]string{}
		for w, values := range truth {
			if w.Output == outputs[i].Name && w.Start < year2090 {
				all[i][windowText(w)] = valuesText(values)
			}
		}
	}
	return all, nil
}

func windowText(w streamtest.Window) string { return fmt.Sprintf("%s %d-%d", w.Group, w.Start, w.End) }

func valuesText(values map[string]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text += name + "=" + values[name] + " "
	}
	return text
}

// readOrder reads a value as any consumer can: by goavro, with the published schema.
func (c *compiled) readOrder(output int, r *kafka.Record) (published, error) {
	native, rest, err := c.codecs[output].NativeFromBinary(r.Value)
	if err != nil || len(rest) > 0 {
		return published{}, fmt.Errorf("%s/%d@%d: %w, %d bytes left", r.Topic, r.Partition, r.Offset, err, len(rest))
	}
	spec := streamtest.OrdersOutputs()[output]
	f := plain(native.(map[string]any))
	w := streamtest.Window{Output: spec.Name, Group: streamtest.GroupText(f, spec.Group), Start: f["window_start"].(int64), End: f["window_end"].(int64)}
	values := map[string]string{}
	for _, a := range spec.Aggregates {
		values[a.Name] = streamtest.Text(f[a.Name])
	}
	return published{
		window: windowText(w), values: valuesText(values), revision: f["_revision"].(int64),
		open: f["_status"] == "OPEN", retracted: f["_status"] == "RETRACTED",
	}, nil
}

// plain takes unions and times apart.
func plain(m map[string]any) streamtest.Fact {
	f := streamtest.Fact{}
	for k, v := range m {
		if u, ok := v.(map[string]any); ok && len(u) == 1 {
			for _, inner := range u {
				v = inner
			}
		}
		if ts, ok := v.(time.Time); ok {
			v = ts.UnixMilli()
		}
		f[k] = v
	}
	return f
}

// pick draws one of some values.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

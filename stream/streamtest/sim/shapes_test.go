package sim

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// shape is a pipeline of another shape than orders, compiled once for all lives.
type shape struct {
	compiled
	trial *trial.Shape
}

func compileShapes(t *testing.T) []*shape {
	var all []*shape
	for _, name := range trial.Shapes() {
		s := trial.NewShape(t, []string{"127.0.0.1:9092"}, name)
		all = append(all, &shape{compiled: compiled{plan: s.Plan}, trial: s})
	}
	return all
}

// subject draws a log of the shape.
func (s *shape) subject(rng *rand.Rand, d *drawn) *subject {
	out := &subject{plan: s.tuned(d), width: trial.ShapeWidth}
	s.trial.Sent = nil
	s.trial.Generate(rng.Uint64(), 100+rng.IntN(300))
	for _, m := range s.trial.Sent {
		out.messages = append(out.messages, message{source: m.Source, partition: m.Partition, val: m.Value})
	}
	out.truth = func() ([]map[string]string, error) { return batchTruth(out) }
	out.read = func(output int, r *kafka.Record) (published, error) { return readRow(out.plan, output, r) }
	return out
}

// batchTruth is what a batch over all records gives.
func batchTruth(s *subject) ([]map[string]string, error) {
	d, err := streamtest.NewDriver(s.plan, s.width)
	if err != nil {
		return nil, err
	}
	for _, m := range s.messages {
		d.Append(m.source, m.partition, m.val)
	}
	all := make([]map[string]string, len(s.plan.Outputs))
	for i, codec := range s.plan.Codecs {
		rows, err := d.Batch(i)
		if err != nil {
			return nil, err
		}
		all[i] = map[string]string{}
		for _, r := range rows {
			row := curated.Row{Key: r.Key, Start: r.Start, End: r.End, Values: r.Values, Status: curated.Closed}
			hash := codec.RowHash(&row)
			all[i][hex.EncodeToString(codec.AppendKey(nil, &row))] = hex.EncodeToString(hash[:])
		}
	}
	return all, nil
}

func readRow(plan *pipeline.Plan, output int, r *kafka.Record) (published, error) {
	var row curated.Row
	if err := plan.Codecs[output].Decode(r.Key, r.Value, &row); err != nil {
		return published{}, err
	}
	hash := plan.Codecs[output].RowHash(&row)
	return published{
		window: hex.EncodeToString(r.Key), values: hex.EncodeToString(hash[:]), revision: row.Revision,
		open: row.Status == curated.Open, retracted: row.Status == curated.Retracted,
	}, nil
}

package peers

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// tidemarkResult is what Tidemark makes of a case: what the stream publishes, and what stands after the corrections.
type tidemarkResult struct {
	stream, corrected rows
	counters          flow.Counters
}

func tidemark(t *testing.T, c *scenario) tidemarkResult {
	t.Helper()
	p, err := pipeline.Load(c.query+".yaml", os.LookupEnv)
	must(t, err)
	plan, err := p.Compile()
	must(t, err)
	d, err := streamtest.NewDriver(plan, 1)
	must(t, err)
	for _, e := range c.events {
		value, err := json.Marshal(e)
		must(t, err)
		source := 0
		if e.topic == "b" {
			source = 1
		}
		d.Append(source, 0, value)
	}
	must(t, d.End())
	batch, err := d.Batch(0)
	must(t, err)
	r := tidemarkResult{counters: d.Counters()}
	r.stream = c.rows(t, plan, d.Rows())
	r.corrected = c.rows(t, plan, batch)
	return r
}

func (c *scenario) rows(t *testing.T, plan *pipeline.Plan, published []streamtest.Row) rows {
	t.Helper()
	out := rows{}
	for _, r := range published {
		at := place{plan.Codecs[0].FormatKey(r.Key), r.Start, r.End}
		if c.query == "session" {
			at.end -= gap
		}
		if _, twice := out[at]; twice {
			t.Errorf("%s: Tidemark published %v twice", c.name(), at)
		}
		out[at] = tally{r.Values[0].Int(), r.Values[1].Int()}
	}
	return out
}

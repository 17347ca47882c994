package flights

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// place names a row.
type place struct {
	output, key string
	start, end  int64 // ms
}

func (p place) String() string {
	return fmt.Sprintf("%s %q %s..%s", p.output, p.key, instant(p.start), instant(p.end))
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04Z") }

// rows are an output's, or several outputs': per aggregate the value as people read it.
type rows map[place]map[string]string

func readable(t *testing.T, plan *pipeline.Plan, published []streamtest.Row) rows {
	t.Helper()
	out := rows{}
	for _, r := range published {
		i := slices.IndexFunc(plan.Pipeline.Outputs, func(o pipeline.Output) bool { return o.Name == r.Output })
		at := place{r.Output, plan.Codecs[i].FormatKey(r.Key), r.Start, r.End}
		if _, twice := out[at]; twice {
			t.Errorf("%v was published twice", at)
		}
		values := map[string]string{}
		for j, v := range r.Values {
			values[plan.Outputs[i].Aggs[j].Name] = plan.Codecs[i].FormatValue(j, v)
		}
		out[at] = values
	}
	return out
}

// corrections are what reconciling publishes: the batch's rows that the stream has otherwise or not at all, and, as nil,
// the stream's rows that should not be.
func corrections(stream, batch rows) rows {
	out := rows{}
	for at, r := range batch {
		if !reflect.DeepEqual(stream[at], r) {
			out[at] = r
		}
	}
	for at := range stream {
		if _, ok := batch[at]; !ok {
			out[at] = nil
		}
	}
	return out
}

func corrected(stream, corrections rows) rows {
	out := rows{}
	for _, from := range []rows{stream, corrections} {
		for at, r := range from {
			if r == nil {
				delete(out, at)
				continue
			}
			out[at] = r
		}
	}
	return out
}

// expected is a row of truth.py.
type expected struct {
	Key        string
	Start, End int64
	Values     map[string]any
}

// truths are, per output, the rows over the flights in time and over all flights.
type truths map[string]struct{ Stream, All []expected }

func readTruth(t *testing.T, path string) (out truths) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	must(t, json.Unmarshal(text, &out))
	return out
}

// compare wants of an output exactly the rows that are expected.
func compare(t *testing.T, what, output string, want []expected, got rows) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: nothing is expected of %s", what, output)
	}
	seen, wrong := 0, 0
	for _, w := range want {
		at := place{output, w.Key, w.Start, w.End}
		r, ok := got[at]
		if ok {
			seen++
		}
		for name, value := range w.Values {
			if (!ok || !meets(value, r[name])) && wrong < 10 {
				wrong++
				t.Errorf("%s: %v: %s is %s, not %v", what, at, name, r[name], value)
			}
		}
		if ok && len(r) != len(w.Values) {
			t.Errorf("%s: %v has %d values, not %d", what, at, len(r), len(w.Values))
		}
	}
	for at := range got {
		if at.output == output {
			seen--
		}
	}
	if seen != 0 {
		t.Errorf("%s: %d rows of %s that should not be", what, -seen, output)
	}
}

// meets says whether a value as people read it is what truth.py says.
func meets(want any, got string) bool {
	if text, ok := want.(string); ok {
		return text == got
	}
	var value any
	parsed := json.Unmarshal([]byte(got), &value) == nil
	bound, ok := want.(map[string]any)
	if !ok {
		return parsed && reflect.DeepEqual(value, want)
	}
	if choice, ok := bound["any"].([]any); ok {
		return slices.Contains(choice, any(got))
	}
	n, isNumber := value.(float64)
	about, within := bound["about"].(float64), bound["within"].(float64)
	return isNumber && math.Abs(n-about) <= within*math.Abs(about)
}

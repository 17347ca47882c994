package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/aggregates"
)

// extended compiles a pipeline with aggregates and functions of the program's own.
func extended(t *testing.T, call string, ext Extensions) (*Plan, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "e.avsc"), []byte(fingerprintSchema), 0o644); err != nil {
		t.Fatal(err)
	}
	text := planHead + "source: {topic: e, format: avro-raw, schema: {file: e.avsc}, event_time: at, key: [id]}\n" +
		"outputs: [{name: o, group_by: [id], window: {tumbling: 1h}, aggregate: {x: \"" + call + "\"}}]\n"
	p, err := ParseWith(filepath.Join(dir, "p.yaml"), []byte(text), testEnv, ext)
	if err != nil {
		return nil, err
	}
	return p.Compile()
}

// builtIn is a built-in definition under a name.
func builtIn(t *testing.T, name, as string) window.Definition {
	t.Helper()
	for _, d := range aggregates.Definitions() {
		if d.Name == name {
			d.Name = as
			return d
		}
	}
	t.Fatalf("no aggregate %s", name)
	return window.Definition{}
}

// TestExtensions: aggregates and functions of the program's own are called like built-in ones.
func TestExtensions(t *testing.T) {
	long := schema.Type{Kind: schema.KindInt, Avro: "long"}
	ext := Extensions{Aggregates: []window.Definition{builtIn(t, "quantile", "middle")},
		Functions: map[string]expr.Function{"twice": {Args: []schema.Type{long}, Result: long,
			Call: func(args []schema.Value) (schema.Value, error) { return schema.IntValue(2 * args[0].Int()), nil }}}}
	plan, err := extended(t, "middle(double(twice(other)), 0.5)", ext)
	if err != nil {
		t.Fatal(err)
	}
	e := plan.NewEval()
	value, err := plan.Sources[0].Source.FromJSON(nil, []byte(`{"id":1,"other":21,"km":1,"fare":"0.00","at":"2013-01-01T00:00:00Z","items":[],"names":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Decode(0, value); err != nil {
		t.Fatal(err)
	}
	if fate, err := e.Element(0); err != nil || fate.Outcome != Keep || e.Input.Args[0][0].Float() != 42 {
		t.Errorf("%v, %v, %v", fate, err, e.Input.Args)
	}
	if plan.Outputs[0].Aggs[0].Custom == nil {
		t.Error("the aggregate is none of the program's own")
	}
}

// TestBadExtensions: what can't be called, or would take the place of another, is a fault (invariant 2).
func TestBadExtensions(t *testing.T) {
	for name, d := range map[string]window.Definition{
		`no legal name`:                   builtIn(t, "quantile", "my-quantile"),
		`an aggregate "sum" already`:      builtIn(t, "quantile", "sum"),
		`an aggregate "stddev" already`:   builtIn(t, "quantile", "stddev"),
		`broken can't be made`:            {Name: "broken"},
		`an aggregate "count_if" already`: builtIn(t, "quantile", "count_if"),
	} {
		_, err := extended(t, "count()", Extensions{Aggregates: []window.Definition{d}})
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(faults[0].Msg, name) || faults[0].Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

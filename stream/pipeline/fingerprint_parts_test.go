package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
)

const fingerprintSchema = `{"type":"record","name":"e","fields":[{"name":"id","type":"long"},{"name":"other","type":"long"},{"name":"km","type":"double"},
{"name":"fare","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
{"name":"items","type":{"type":"array","items":"string"}},{"name":"names","type":{"type":"array","items":"string"}}]}`

// whole uses what an output and its rules can say.
const whole = `source: {topic: e, format: avro-raw, schema: {file: e.avsc}, event_time: at, key: [id]}
let:
  far: km > 100.0
rules:
  - {name: sane, expect: km >= 0.0, else: quarantine}
  - {name: near, when: km < 1.0, then: filter}
  - {name: seen, when: far, then: filter}
outputs:
  - name: o
    group_by: [id, {hour: at.getHours()}]
    window: {hopping: {size: 2d, every: 1d}, timezone: America/New_York}
    emit: on_close
    late: reconcile
    aggregate: {p: "quantile(km, 0.5)", h: "histogram(km, [0, 15])", fare: sum(fare)}
`

const joinedTwo = `sources:
  a: {topic: a, format: avro-raw, schema: {file: e.avsc}, event_time: at, key: [id]}
  b: {topic: b, format: avro-raw, schema: {file: e.avsc}, event_time: at, key: [id]}
join:
  interval: {left: a, right: b, on: {a: [id], b: [id]}, between: [0s, 10m]}
  allowed_lateness: 1m
outputs:
  - {name: o, group_by: [a.id], window: {session: {gap: 5m, within: 1d}}, allowed_lateness: 5m, aggregate: {n: count(), km: sum(b.km)}}
`

// TestFingerprintOfParts: what of rules, windows, aggregates with parameters, joins and several sources decides results,
// and what doesn't (invariant 5).
func TestFingerprintOfParts(t *testing.T) {
	for _, base := range []struct {
		name, text           string
		decides, indifferent map[string][2]string
	}{
		{"whole", whole, map[string][2]string{
			"rule's condition":      {"km >= 0.0", "km >= 0.5"},
			"rule's let":            {"km > 100.0", "km > 101.0"},
			"rule's action":         {"else: quarantine", "else: filter"},
			"rule's name":           {"name: near", "name: nearby"},
			"one rule less":         {"  - {name: near, when: km < 1.0, then: filter}\n", ""},
			"order of rules":        {"rules:\n", "rules:\n  - {name: first, when: km > 1.0e9, then: filter}\n"},
			"hop":                   {"every: 1d", "every: 2d"},
			"zone":                  {"America/New_York", "Europe/Berlin"},
			"no zone":               {", timezone: America/New_York", ""},
			"parameter":             {"0.5)", "0.9)"},
			"list":                  {"[0, 15]", "[0, 16]"},
			"name of an expression": {"{hour: ", "{hr: "},
			"grouped expression":    {"at.getHours()", "at.getMinutes()"},
			"unnest":                {"key: [id]", "key: [id], unnest: items"},
			"no key":                {", key: [id]", ""},
		}, map[string][2]string{
			"spaces":         {"quantile(km, 0.5)", "quantile( km ,0.50 )"},
			"updates":        {"emit: on_close", "emit: {on_update: 10s}"},
			"unreconciled":   {"late: reconcile", "late: {off: a trial}"},
			"an alias zone":  {"America/New_York", "US/Eastern"},
			"spaces in expr": {"km >= 0.0", "  km >= 0.0"},
		}},
		{"joined", joinedTwo, map[string][2]string{
			"lower":          {"[0s, 10m]", "[1s, 10m]"},
			"upper":          {"[0s, 10m]", "[0s, 11m]"},
			"lateness":       {"allowed_lateness: 1m", "allowed_lateness: 2m"},
			"sides":          {"left: a, right: b", "left: b, right: a"},
			"a topic":        {"topic: b", "topic: c"},
			"a source's key": {"  b: {topic: b, format: avro-raw, schema: {file: e.avsc}, event_time: at, key: [id]}", "  b: {topic: b, format: avro-raw, schema: {file: e.avsc}, event_time: at, event_id: [id], key: [id]}"},
			"gap":            {"gap: 5m", "gap: 6m"},
			"within":         {"within: 1d", "within: 2d"},
			"co-group": {"join:\n  interval: {left: a, right: b, on: {a: [id], b: [id]}, between: [0s, 10m]}\n  allowed_lateness: 1m\noutputs:\n  - {name: o, group_by: [a.id]",
				"outputs:\n  - {name: o, group_by: [{id: 'a.id != null ? a.id : b.id'}]"},
			"enrichment":    {"join:\n  interval: {left: a, right: b, on: {a: [id], b: [id]}, between: [0s, 10m]}\n  allowed_lateness: 1m", "enrich: {source: a, with: b, on: {a: [id], b: [id]}, allowed_lateness: 1m}"},
			"another field": {"sum(b.km)", "sum(a.km)"},
		}, map[string][2]string{
			"idleness of a source": {"topic: a,", "topic: a, watermark: {idle_after: 1m},"},
			"start":                {"topic: b,", "topic: b, start: latest,"},
		}},
	} {
		was := fingerprintOf(t, base.text)
		for what, change := range base.decides {
			if fingerprintOf(t, changed(t, base.text, change)) == was {
				t.Errorf("%s: %s makes no difference", base.name, what)
			}
		}
		for what, change := range base.indifferent {
			if fingerprintOf(t, changed(t, base.text, change)) != was {
				t.Errorf("%s: %s makes a difference", base.name, what)
			}
		}
	}
}

// TestFingerprintPins: the fingerprints of these pipelines never change unless results do: state and certificates go by
// them.
func TestFingerprintPins(t *testing.T) {
	for text, want := range map[string]string{whole: pinWhole, joinedTwo: pinJoined} {
		if got := fingerprintOf(t, text); got != want {
			t.Errorf("the fingerprint is %s, pinned as %s:\n%s", got, want, text)
		}
	}
}

const (
	pinWhole  = "9caa08d3ad67"
	pinJoined = "454aa4e6a56d"
)

// TestFingerprintOfFunctions: a function of the program's own counts with its types, and only if it is used.
func TestFingerprintOfFunctions(t *testing.T) {
	long := schema.Type{Kind: schema.KindInt, Avro: "long"}
	double := func(arg schema.Type) map[string]expr.Function {
		return map[string]expr.Function{"twice": {Args: []schema.Type{arg}, Result: long,
			Call: func(args []schema.Value) (schema.Value, error) { return args[0], nil }}}
	}
	nullable := long
	nullable.Nullable = true
	used := strings.Replace(joinedTwo, "sum(b.km)", "sum(twice(b.other))", 1)
	if a, b := fingerprintWith(t, used, Extensions{Functions: double(long)}), fingerprintWith(t, used, Extensions{Functions: double(nullable)}); a == b {
		t.Error("the types of a function make no difference")
	}
	if fingerprintWith(t, joinedTwo, Extensions{Functions: double(long)}) != fingerprintOf(t, joinedTwo) {
		t.Error("an unused function makes a difference")
	}
}

func changed(t *testing.T, text string, change [2]string) string {
	t.Helper()
	if !strings.Contains(text, change[0]) {
		t.Fatalf("%q is not in the pipeline", change[0])
	}
	return strings.Replace(text, change[0], change[1], 1)
}

func fingerprintOf(t *testing.T, text string) string {
	t.Helper()
	return fingerprintWith(t, text, Extensions{})
}

func fingerprintWith(t *testing.T, text string, ext Extensions) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "e.avsc"), []byte(fingerprintSchema), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := ParseWith(filepath.Join(dir, "p.yaml"), []byte(planHead+text), testEnv, ext)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return compile(t, p).Fingerprint
}

// TestUpdatesAndReasons: how often open windows are published, and what is not reconciled, is in the plan.
func TestUpdatesAndReasons(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "e.avsc"), []byte(fingerprintSchema), 0o644); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("emit: on_close", "emit: {on_update: 10s}", "late: reconcile", "late: {off: a trial}").Replace(whole)
	p, err := ParseWith(filepath.Join(dir, "p.yaml"), []byte(planHead+text), testEnv, Extensions{})
	if err != nil {
		t.Fatal(err)
	}
	plan := compile(t, p)
	if plan.Updates[0] != 10*time.Second || plan.Unreconciled[0] != "a trial" || !plan.Outputs[0].Updates || plan.Outputs[0].Zone.Name() != "America/New_York" || plan.Outputs[0].Every != 86_400_000 {
		t.Errorf("updates %v, unreconciled %q, output %+v", plan.Updates, plan.Unreconciled, plan.Outputs[0])
	}
}

package structure

import (
	"slices"
	"strings"
	"testing"
)

// allowed says which packages of the repository a package may import, itself and its own subfolders aside. A folder
// stands for the packages below it too, unless they have a line of their own. Nothing else is allowed.
var allowed = map[string][]string{
	"crashpoint":                {},
	"schema":                    {},
	"lake/blob":                 {},
	"lake/blob/cloud":           {"lake/blob"}, // large: only programs link it
	"lake":                      {"lake/blob", "schema"},
	"state":                     {"lake/blob"},
	"stream/internal/avrobytes": {},
	"stream/kafka":              {},
	"stream/window":             {"schema"},
	"stream/window/aggregates":  {"schema", "stream/window"},
	"stream/curated":            {"schema", "stream/internal/avrobytes", "stream/window"},
	"stream/journal":            {"schema", "stream/internal/avrobytes", "stream/window"},
	"stream/pipeline":           {"schema", "schema/expr", "stream/curated", "stream/window", "stream/window/aggregates"},
	"stream/join":               {"schema", "stream/window"},
	"stream/flow":               {"schema", "stream/curated", "stream/join", "stream/pipeline", "stream/window"},
	"stream/landing":            {"lake", "lake/blob", "schema", "stream/curated", "stream/journal", "stream/kafka", "stream/pipeline"},
	"stream":                    append([]string{"lake", "state", "schema"}, middle...),
	"reconcile":                 append([]string{"lake", "lake/blob", "state", "schema"}, middle...),
	"stream/streamtest":         append([]string{"lake", "lake/blob", "lake/blob/cloud", "state", "schema", "stream"}, middle...),
	"stream/streamtest/trial":   append([]string{"lake", "lake/blob", "state", "schema", "stream", "stream/streamtest", "reconcile"}, middle...),
	"cmd":                       {"*"},
	"benchmarks":                {"*"},
}

// middle is what both lanes share. It is all of stream that reconcile may see.
var middle = []string{
	"lake/blob", "stream/curated", "stream/flow", "stream/join", "stream/journal", "stream/kafka", "stream/landing", "stream/pipeline", "stream/window",
}

// testKits are imported by tests only.
var testKits = []string{
	"stream/streamtest", "stream/window/backingtest", "stream/window/windowtest", "lake/blob/blobtest", "lake/testcache", "state/statetest",
}

// rule is the longest line of allowed that covers a package.
func rule(dir string) (string, bool) {
	for at := dir; ; {
		if _, ok := allowed[at]; ok {
			return at, true
		}
		cut := strings.LastIndexByte(at, '/')
		if cut < 0 {
			return "", false
		}
		at = at[:cut]
	}
}

func mayImport(from, to string) bool {
	own, ok := rule(from)
	if !ok {
		return false
	}
	target, ok := rule(to)
	if !ok {
		return false
	}
	if own == target || target == "crashpoint" {
		return true
	}
	return slices.Contains(allowed[own], target) || slices.Contains(allowed[own], to) ||
		slices.Contains(allowed[own], "*") && (target != "cmd" || own == "benchmarks")
}

// Invariant 1. Test files may import more, but nothing that imports their package's layer from above: a test in lake
// must not need the stream.
func TestImportsPointDownward(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			kit := slices.ContainsFunc(testKits, func(k string) bool { return to == k || strings.HasPrefix(to, k+"/") })
			switch {
			case kit && (s.test || s.under(testKits...)):
			case to == "stream/streamtest" && s.under("cmd/internal/fixture"): // `tidemark test` runs its driver
			case kit:
				t.Errorf("%s imports %s, which is for tests", s.path, to)
			case s.test && strings.HasPrefix(to, "cmd/internal/broker"): // the embedded broker serves fast tests
			case s.test && s.under("stream/streamtest") && to == "reconcile": // its tests prove what both lanes give together
			case !mayImport(s.dir, to):
				t.Errorf("%s imports %s: imports point downward", s.path, to)
			}
		}
	}
}

// TestTheRulesRefuse shows that the table refuses what it must.
func TestTheRulesRefuse(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"reconcile", "stream", false},
		{"reconcile", "stream/window", true},
		{"lake", "stream/kafka", false},
		{"lake", "state", false},
		{"state", "lake", false},
		{"state", "lake/blob", true},
		{"lake/blob", "lake", false},
		{"schema/expr", "schema", true},
		{"schema", "stream/window", false},
		{"stream/window", "stream/curated", false},
		{"stream/window", "stream/window/aggregates", false},
		{"stream/pipeline", "stream/window/aggregates", true},
		{"stream/pipeline", "stream/kafka", false},
		{"stream/window", "stream", false},
		{"stream", "reconcile", false},
		{"stream", "cmd/internal/page", false},
		{"cmd/tidemark", "stream", true},
		{"cmd/internal/page", "stream", true},
		{"nowhere", "schema", false},
	} {
		if got := mayImport(c.from, c.to); got != c.want {
			t.Errorf("%s imports %s: allowed %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// owners are dependencies with one importer. Tests may use the ones marked as oracles or fakes.
var owners = []struct {
	prefix string
	owner  []string
	tests  bool
}{
	{"github.com/twmb/franz-go/pkg/kfake", []string{"cmd/internal/broker"}, true},
	{"github.com/twmb/franz-go/pkg/kmsg", []string{"stream/kafka", "cmd/internal/broker"}, true}, // requests, which the fake lets one change
	{"github.com/twmb/franz-go", []string{"stream/kafka"}, true},
	{"github.com/cockroachdb/pebble", []string{"state"}, false},
	{"cel.dev/cel-go", []string{"schema/expr"}, false},
	{"github.com/linkedin/goavro", []string{"schema"}, true},
	{"github.com/twmb/avro", []string{"schema", "lake"}, true},
	{"github.com/goccy/go-yaml", []string{"stream/pipeline", "cmd/internal/fixture"}, true},
	{"github.com/spf13/cobra", []string{"cmd/tidemark"}, false},
	{"github.com/prometheus", []string{"cmd/internal/telemetry"}, false},
	{"golang.org/x/term", []string{"cmd/tidemark"}, false},
}

// Invariant 2.
func TestOneImporter(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			for _, o := range owners {
				if imported != o.prefix && !strings.HasPrefix(imported, o.prefix+"/") {
					continue
				}
				if !s.under(o.owner...) && !(o.tests && (s.test || s.under(testKits...))) {
					t.Errorf("%s imports %s, which only %s may", s.path, imported, strings.Join(o.owner, " and "))
				}
				break
			}
		}
	}
}

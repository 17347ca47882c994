package expr

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	conformance "cel.dev/expr/conformance/test"
	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "cel.dev/expr/conformance/proto2"
	_ "cel.dev/expr/conformance/proto3"

	"github.com/tidemark-io/tidemark/schema"
)

// TestConformance runs the conformance cases of cel-spec (module cel.dev/expr,
// tests/simple/testdata), those that the dialect can say, through both engines:
// as they are written, and again with their literals lifted into fields, so that
// nothing is folded. testdata/conformance lists by file how many ran, and why
// the others don't apply. (Invariant 6)
func TestConformance(t *testing.T) {
	dir := conformanceCases(t)
	datadriven.RunTest(t, "testdata/conformance/table", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		for _, name := range strings.Fields(d.Input) {
			ran := &tally{skipped: map[string]int{}}
			for _, section := range readCases(t, filepath.Join(dir, name+".textproto")).GetSection() {
				for _, test := range section.GetTest() {
					ran.run(t, name+"/"+section.GetName()+"/"+test.GetName(), test)
				}
			}
			out.WriteString(ran.line(name))
		}
		return out.String()
	})
}

// conformanceCases is where the module cache has the cases: the checker of
// cel-go needs the module, so that it is always there.
func conformanceCases(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "cel.dev/expr").Output()
	if err != nil {
		t.Fatalf("find the module cel.dev/expr: %v (go mod download cel.dev/expr)", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "tests", "simple", "testdata")
}

func readCases(t *testing.T, path string) *conformance.SimpleTestFile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file := &conformance.SimpleTestFile{}
	if err := (prototext.UnmarshalOptions{Resolver: protoregistry.GlobalTypes}).Unmarshal(text, file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

// known are the cases that cel-go itself does not pass.
var known = map[string]bool{
	"fields/qualified_identifier_resolution/map_value_repeat_key": true, // a map's literal with a key twice is no error
}

// tally counts the cases of a file.
type tally struct {
	cases, ran, interpreted, lifted int
	skipped                         map[string]int // by reason
}

func (c *tally) line(name string) string {
	line := fmt.Sprintf("%-16s %3d cases, %3d ran", name, c.cases, c.ran)
	if c.ran > 0 {
		line += fmt.Sprintf(" (%d compiled, %d interpreted), %d with fields for literals", c.ran-c.interpreted, c.interpreted, c.lifted)
	}
	reasons := slices.SortedFunc(maps.Keys(c.skipped), func(a, b string) int {
		return cmp.Or(c.skipped[b]-c.skipped[a], strings.Compare(a, b))
	})
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%d %s", c.skipped[reason], reason)
	}
	if len(reasons) > 0 {
		line += "; not: " + strings.Join(reasons, ", ")
	}
	return line + "\n"
}

func (c *tally) run(t *testing.T, name string, test *conformance.SimpleTest) {
	t.Helper()
	c.cases++
	s, why := newSubject(test)
	if known[name] {
		why = "wrong in cel-go"
	}
	if why == "" {
		var p *Program
		p, why = s.compile()
		if p != nil && p.Interpreted() {
			c.interpreted++
		}
		if p != nil {
			s.check(t, name, p)
		}
	}
	if why != "" {
		c.skipped[why]++
		return
	}
	c.ran++
	if lifted, ok := s.lift(t); ok {
		if p, err := Compile(lifted.src, lifted.env); err == nil {
			c.lifted++
			lifted.check(t, name+" lifted to "+lifted.src, p)
		}
	}
}

// subject is a case: an expression, its names, and what it must give.
type subject struct {
	src    string
	env    Env
	fields []string
	row    []schema.Value
	want   schema.Value
	fails  bool
}

func (s *subject) add(name string, t schema.Type, v schema.Value) {
	s.env.Fields[name] = t
	s.fields, s.row = append(s.fields, name), append(s.row, v)
}

func (s *subject) compile() (*Program, string) {
	p, err := Compile(s.src, s.env)
	switch {
	case err == nil:
		return p, ""
	case s.fails && constantFault(err):
		return nil, "" // refused because it always fails
	}
	return nil, inapplicable(err.Error())
}

func (s *subject) check(t *testing.T, name string, p *Program) {
	t.Helper()
	e := both(t, p, func(field string) int { return slices.Index(s.fields, field) })
	if d := e.differ(s.row); d != "" {
		t.Errorf("%s: %s\n%s", name, s.src, d)
	}
	have, err := e.compiled.Eval(s.row)
	if s.fails != (err != nil) || err == nil && !identical(have, s.want) {
		t.Errorf("%s: %s\nhave %s, %v\nwant %s, fails %v", name, s.src, have, err, s.want, s.fails)
	}
}

// inapplicable is the reason for which the dialect refuses a case.
func inapplicable(msg string) string {
	for _, r := range []struct{ part, reason string }{
		{"is not available", "macros"},
		{"the result is", "a result that is no scalar"},
		{"a time zone must be", "named time zones"},
		{"TestAllTypes", "messages"}, {"NestedTestAllTypes", "messages"}, {"google.protobuf", "messages"}, {"field selection", "messages"},
		{"has no fields", "messages"},
		{"optional", "optionals"}, {"unsupported syntax", "optionals"}, {"invalid qualifier type", "maps by bytes"},
		{"unexpected", "syntax that is not switched on"}, {"not understood", "syntax that is not switched on"},
		{"expected type", "lists of mixed types"},
		{"unknown name", "functions of extensions"},
	} {
		if strings.Contains(msg, r.part) {
			return r.reason
		}
	}
	return msg
}

package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/schema"
)

// bench holds what one file of testdata/plan has built.
type bench struct {
	t    *testing.T
	dir  string
	plan *Plan
	eval *Eval
}

const planHead = "apiVersion: tidemark/v1\npipeline: p\nkafka: {brokers: [localhost:9092]}\n"

// TestPlan: what pipelines compile to and what they make of events, as testdata/plan tells it.
func TestPlan(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		b := &bench{t: t, dir: t.TempDir()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				if err := os.WriteFile(filepath.Join(b.dir, d.CmdArgs[0].Key), []byte(d.Input), 0o644); err != nil {
					t.Fatal(err)
				}
				return ""
			case "plan":
				return b.compile(d.Input)
			case "eval":
				return b.each(d)
			case "join":
				return b.joined(d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// compile gives the description, or the faults.
func (b *bench) compile(text string) string {
	p, err := ParseWith(filepath.Join(b.dir, "p.yaml"), []byte(planHead+text+"\n"), func(string) (string, bool) { return "", false }, Extensions{})
	if err == nil {
		b.plan, err = p.Compile()
	}
	var faults Faults
	if errors.As(err, &faults) {
		var out strings.Builder
		for _, f := range faults {
			fmt.Fprintf(&out, "%d:%d: %s: %s (%s)\n", f.Line-3, f.Col, f.Path, f.Msg, f.Hint)
		}
		return out.String()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.eval = b.plan.NewEval()
	var out strings.Builder
	for _, l := range b.plan.Describe().Lines() {
		fmt.Fprintf(&out, "%s: %s\n", l.Subject, l.Text)
	}
	return out.String()
}

// source is the number of the source that a command names.
func (b *bench) source(d *datadriven.TestData, arg string) int {
	if !d.HasArg(arg) {
		return 0
	}
	var name string
	d.ScanArgs(b.t, arg, &name)
	for i := range b.plan.Sources {
		if b.plan.Sources[i].Name == name {
			return i
		}
	}
	b.t.Fatalf("no source %s", name)
	return 0
}

func (b *bench) decode(source int, line string) error {
	value, err := b.plan.Sources[source].Source.FromJSON(nil, []byte(line))
	if err != nil {
		b.t.Fatalf("%s: %v", line, err)
	}
	return b.eval.Decode(source, value)
}

// each evaluates every line's event.
func (b *bench) each(d *datadriven.TestData) string {
	var out strings.Builder
	source := b.source(d, "source")
	for line := range strings.SplitSeq(d.Input, "\n") {
		if err := b.decode(source, line); err != nil {
			fmt.Fprintf(&out, "%v\n", err)
			continue
		}
		if b.eval.Elements() == 0 {
			out.WriteString("no elements\n")
		}
		for i := range b.eval.Elements() {
			fate, err := b.eval.Element(i)
			out.WriteString(b.show(fate, err))
		}
	}
	return out.String()
}

// joined joins the first line's event with the second's, or with nothing.
func (b *bench) joined(d *datadriven.TestData) string {
	lines := strings.Split(d.Input, "\n")
	rows, keys := make([][]byte, 2), make([][]byte, 2)
	for i, line := range lines {
		source := []int{b.plan.Join.Left, b.plan.Join.Right}[i]
		if err := b.decode(source, line); err != nil {
			return err.Error()
		}
		rows[i], keys[i] = b.eval.Row(nil), b.eval.JoinKey(nil)
	}
	out := fmt.Sprintf("keys %x %x\nrows %x %x\n", keys[0], keys[1], rows[0], rows[1])
	fate, err := b.eval.Joined(rows[0], rows[1], 1000, [16]byte{1})
	return out + b.show(fate, err)
}

// show is what became of an event: fate, or per output its key and arguments.
func (b *bench) show(fate Fate, err error) string {
	text := ""
	for i, name := range b.plan.RuleNames {
		if fate.Counted&(1<<i) != 0 {
			text += " counted by " + name
		}
	}
	var bad *schema.RecordError
	switch {
	case errors.As(err, &bad):
		return fmt.Sprintf("%s: %s: %v%s\n", fate.Outcome, bad.Reason, bad.Err, text)
	case err != nil:
		return fmt.Sprintf("error: %v\n", err)
	case fate.Outcome != Keep:
		return fmt.Sprintf("%s by %s%s\n", fate.Outcome, b.plan.RuleNames[fate.Rule], text)
	}
	in := &b.eval.Input
	for i, o := range b.plan.Outputs {
		text += fmt.Sprintf(" | %s [%s]", o.Name, b.plan.Codecs[i].FormatKey(in.Keys[i]))
		for j, v := range in.Args[i] {
			text += fmt.Sprintf(" %d=%s", j, v)
		}
	}
	return fmt.Sprintf("keep%s\n", text)
}

// TestElementIdentities: elements of an event, and equal events of two topics, are told apart; copies are not (invariant 7).
func TestElementIdentities(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir()}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("e.avsc", `{"type":"record","name":"e","fields":[{"name":"id","type":"long"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
{"name":"items","type":{"type":"array","items":"string"}}]}`)
	b.compile("source: {topic: e, format: avro-raw, schema: {file: e.avsc}, event_id: [id], event_time: at, key: [id], unnest: items}\n" +
		"outputs: [{name: o, group_by: [id], window: {tumbling: 1h}, aggregate: {n: count(items)}}]")
	ids := func(source int, line string) (all [][16]byte) {
		if err := b.decode(source, line); err != nil {
			t.Fatal(err)
		}
		for i := range b.eval.Elements() {
			if fate, err := b.eval.Element(i); err != nil || fate.Outcome != Keep || !b.eval.Input.HasID {
				t.Fatal(fate, err)
			}
			all = append(all, b.eval.Input.ID)
		}
		return all
	}
	const line = `{"id":7,"at":"2013-01-01T00:00:00Z","items":["a","a"]}`
	first, again := ids(0, line), ids(0, line)
	if len(first) != 2 || first[0] == first[1] || first[0] != again[0] || first[1] != again[1] {
		t.Errorf("identities of elements %x, of a copy's %x", first, again)
	}
	source := "{topic: %s, format: avro-raw, schema: {file: e.avsc}, event_id: [id], event_time: at, key: [id]}"
	b.compile("sources:\n  a: " + fmt.Sprintf(source, "a") + "\n  b: " + fmt.Sprintf(source, "b") + "\n" +
		"outputs: [{name: o, group_by: [{id: 'a.id != null ? a.id : b.id'}], window: {tumbling: 1h}, aggregate: {n: count()}}]")
	if x, y := ids(0, line), ids(1, line); x[0] == y[0] {
		t.Error("equal events of two topics are one event")
	}
}

// TestRowCorrupt: bytes that Row never writes are an error, not a wrong result.
func TestRowCorrupt(t *testing.T) {
	p, err := Load("testdata/good/join.yaml", testEnv)
	if err != nil {
		t.Fatal(err)
	}
	plan := compile(t, p)
	e := plan.NewEval()
	for _, row := range [][]byte{nil, {}, {9}, {rowVersion}, {rowVersion, 200}, {rowVersion, 2, 0x80, 0}, {rowVersion, 4, 9, 'x'}, {rowVersion, 1, 2}, {rowVersion, 3, 1, 2}} {
		if _, err := e.Joined(row, row, 0, [16]byte{}); err == nil {
			t.Errorf("joined from %x", row)
		}
	}
}

// TestFieldRoundTrip: a row's bytes are read back to the bit, and by nothing that is not their whole.
func TestFieldRoundTrip(t *testing.T) {
	for _, v := range []schema.Value{schema.NullValue(), schema.BoolValue(true), schema.BoolValue(false), schema.IntValue(0), schema.IntValue(-1 << 63), schema.IntValue(1<<63 - 1),
		schema.FloatValue(0), {Kind: schema.KindFloat, Num: 1 << 63}, {Kind: schema.KindFloat, Num: schema.CanonicalNaN}, schema.StringValue([]byte{}), schema.StringValue([]byte("é")),
		schema.BytesValue(make([]byte, 300))} {
		text := appendField([]byte{}, &v)
		got, n := readField(append(text, 0xff))
		if n != len(text) || got.Kind != v.Kind || got.Num != v.Num || string(got.Bytes) != string(v.Bytes) {
			t.Errorf("%v: %d of %d bytes give %v", v, n, len(text), got)
		}
		for cut := range text {
			if _, n := readField(text[:cut]); n != 0 {
				t.Errorf("%v is read from %d of %d bytes", v, cut, len(text))
			}
		}
	}
}

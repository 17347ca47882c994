package window

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// The files in testdata/engine show what the engine does, to be read. Commands:
//
//	outputs [memory=BYTES] [nobacking] [open=N]   one output a line: NAME SIZE LATENESS [every=SPAN] [gap=SPAN] [zone=NAME]
//	                                      [updates] AGG...; a new engine, empty Backing
//	add wm=TIME                           one event a line: TIME KEY [id=ID] [x=..] [n=..] [m=..] [ok=..] [to=OUTPUT,...]
//	                                      [wm=TIME]; its verdict
//	close TIME                            the results
//	updates OUTPUT [all]                  results of open windows that have changed
//	assign                                one TIME a line: the windows that hold it, by output
//	write                                 what the Writer is given, then applied
//	restart [memory=BYTES]                a new engine over the Backing, as after a crash
//	open                                  open windows
//	bound TIME                            Bound
//	state                                 every stored key and value, in hexadecimal
//	load                                  put such keys and values into the Backing; then restart
//
// A time is RFC 3339, HH:MM[:SS] on 2013-01-01, "never" (no watermark) or "end" (above every time). Arguments: x is a double, n a long, m a nullable
// long, ok a bool.
func TestEngineCases(t *testing.T) { runScripts(t, "testdata/engine") }

// State that an older program has written is read as it was meant. The `load` commands in testdata/golden are old bytes:
// they are never changed; a new version of the format adds a file.
func TestGoldenState(t *testing.T) { runScripts(t, "testdata/golden") }

func runScripts(t *testing.T, dir string) {
	datadriven.Walk(t, dir, func(t *testing.T, path string) {
		h := &script{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := h.run(t, d)
			if err != nil {
				var corrupt *CorruptError
				if errors.As(err, &corrupt) {
					return out + "corrupt: " + err.Error() + "\n"
				}
				return out + "error: " + err.Error() + "\n"
			}
			return out
		})
	})
}

var scriptArgs = []struct {
	name string
	typ  schema.Type
}{
	{"x", double}, {"n", long},
	{"m", schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}},
	{"ok", truth},
}

type script struct {
	outputs []Output
	backing *backingtest.Store
	engine  *Engine
}

func (h *script) run(t *testing.T, d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "outputs":
		return h.start(t, d)
	case "restart":
		return "", h.restart(t, d)
	case "add":
		return h.add(d)
	case "close":
		return h.close(d)
	case "write":
		return h.write()
	case "open":
		return h.open(), nil
	case "updates":
		return h.updates(d)
	case "assign":
		return h.assign(d), nil
	case "bound":
		b, ok := h.engine.Bound(mustTime(d.CmdArgs[0].Key))
		if !ok {
			return "none\n", nil
		}
		return showTime(b) + "\n", nil
	case "load":
		return "", h.load(d)
	case "state":
		return h.backing.String(), nil
	}
	return "", fmt.Errorf("unknown command %q", d.Cmd)
}

func (h *script) start(t *testing.T, d *datadriven.TestData) (string, error) {
	h.outputs = nil
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		h.outputs = append(h.outputs, parseOutput(f))
	}
	h.backing = backingtest.New()
	if d.HasArg("nobacking") {
		h.backing = nil
	}
	return "", h.restart(t, d)
}

func parseOutput(f []string) Output {
	o := Output{Name: f[0], Size: mustSpan(f[1]), Lateness: mustSpan(f[2])}
	for _, a := range f[3:] {
		name, val, _ := strings.Cut(a, "=")
		switch name {
		case "every":
			o.Every = mustSpan(val)
		case "gap":
			o.Gap = mustSpan(val)
		case "zone":
			z, err := LoadZone(val)
			check(err)
			o.Zone = z
		case "updates":
			o.Updates = true
		default:
			o.Aggs = append(o.Aggs, parseAgg(a))
		}
	}
	return o
}

// load stores bytes that an older program may have written.
func (h *script) load(d *datadriven.TestData) error {
	var batch backingtest.Batch
	for line := range strings.Lines(d.Input) {
		key, val, _ := strings.Cut(strings.TrimSpace(line), " =")
		k, err := hex.DecodeString(key)
		if err != nil {
			return err
		}
		v, err := hex.DecodeString(strings.TrimSpace(val))
		if err != nil {
			return err
		}
		if err := batch.Set(k, v); err != nil {
			return err
		}
	}
	h.backing.Apply(&batch)
	return nil
}

func parseAgg(s string) Agg {
	fn, arg, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	a := Agg{Name: s, Arg: -1}
	for f := Count; f <= Mean; f++ {
		if f.String() == fn {
			a.Func = f
		}
	}
	for i, c := range scriptArgs {
		if c.name == arg {
			a.Arg, a.In = i, c.typ
		}
	}
	return a
}

func (h *script) restart(t *testing.T, d *datadriven.TestData) (err error) {
	o := EngineOptions{}
	if d.HasArg("memory") {
		d.ScanArgs(t, "memory", &o.MemoryMax)
	}
	if d.HasArg("open") {
		d.ScanArgs(t, "open", &o.OpenMax)
	}
	if h.backing == nil {
		h.engine, err = NewEngine(h.outputs, nil, o)
		return err
	}
	h.engine, err = NewEngine(h.outputs, h.backing, o)
	return err
}

func (h *script) add(d *datadriven.TestData) (string, error) {
	var out strings.Builder
	wm := int64(NoWatermark)
	for _, a := range d.CmdArgs {
		wm = mustTime(a.Vals[0])
	}
	for line := range strings.Lines(d.Input) {
		in, own := h.parseEvent(strings.Fields(line), wm)
		v, err := h.engine.Add(in, own)
		if errors.Is(err, ErrOpenWindows) {
			fmt.Fprintln(&out, "refused:", err)
			continue
		}
		if err != nil {
			return out.String(), err
		}
		fmt.Fprint(&out, v.Outcome)
		for i := range h.outputs {
			switch {
			case v.Missed>>i&1 == 0:
			case v.Misses[i] == 1 && h.outputs[i].WindowsPerEvent() == 1:
				fmt.Fprintf(&out, ", missed by %s", h.outputs[i].Name)
			default:
				fmt.Fprintf(&out, ", missed %d windows of %s", v.Misses[i], h.outputs[i].Name)
			}
		}
		fmt.Fprintln(&out)
	}
	return out.String(), nil
}

func (h *script) parseEvent(f []string, wm int64) (*Input, int64) {
	args := make([]schema.Value, len(scriptArgs))
	args[0], args[1], args[3] = schema.FloatValue(0), schema.IntValue(0), schema.BoolValue(false)
	in := &Input{Time: mustTime(f[0])}
	for _, a := range f[2:] {
		name, val, _ := strings.Cut(a, "=")
		switch name {
		case "id":
			in.HasID = true
			copy(in.ID[:], val)
		case "wm":
			wm = mustTime(val)
		case "x":
			v, err := strconv.ParseFloat(val, 64)
			check(err)
			args[0] = schema.FloatValue(v)
		case "n", "m":
			v, err := strconv.ParseInt(val, 10, 64)
			check(err)
			args[1+strings.Index("nm", name)] = schema.IntValue(v)
		case "to":
			for _, to := range strings.Split(val, ",") {
				in.Outputs |= 1 << h.output(to)
			}
		case "ok":
			args[3] = schema.BoolValue(val == "true")
		}
	}
	for range h.outputs {
		in.Keys = append(in.Keys, []byte(f[1]))
		in.Args = append(in.Args, args)
	}
	return in, wm
}

// output is the number of an output by name.
func (h *script) output(name string) int {
	return slices.IndexFunc(h.outputs, func(o Output) bool { return o.Name == name })
}

func (h *script) updates(d *datadriven.TestData) (string, error) {
	var out strings.Builder
	err := h.engine.Updates(h.output(d.CmdArgs[0].Key), d.HasArg("all"), func(r *Result) error {
		if !r.Open {
			return errors.New("an update that doesn't say so")
		}
		out.WriteString(showResult(h.outputs, r))
		return nil
	})
	return out.String(), err
}

func (h *script) assign(d *datadriven.TestData) string {
	var out strings.Builder
	for line := range strings.Lines(d.Input) {
		at := strings.TrimSpace(line)
		for i := range h.outputs {
			o := &h.outputs[i]
			fmt.Fprintf(&out, "%s %s:", at, o.Name)
			for j, w := range o.Assign(mustTime(at), nil) {
				if j > 0 {
					out.WriteByte(',')
				}
				fmt.Fprintf(&out, " %s to %s", showTime(w.Start), showTime(w.End))
				if o.Zone != nil {
					fmt.Fprintf(&out, " (%v)", time.Duration(w.End-w.Start)*time.Millisecond)
				}
			}
			out.WriteByte('\n')
		}
	}
	return out.String()
}

func (h *script) close(d *datadriven.TestData) (string, error) {
	var out strings.Builder
	err := h.engine.Close(mustTime(d.CmdArgs[0].Key), func(r *Result) error {
		out.WriteString(showResult(h.outputs, r))
		return nil
	})
	return out.String(), err
}

func showResult(outputs []Output, r *Result) string {
	var s strings.Builder
	o := &outputs[r.Output]
	fmt.Fprintf(&s, "%s %s to %s %s:", o.Name, showTime(r.Start), showTime(r.End), r.Key)
	for i, v := range r.Values {
		fmt.Fprintf(&s, " %s=%v", o.Aggs[i].Name, v)
	}
	fmt.Fprintf(&s, " of %d events, %d duplicates\n", r.Events, r.Duplicates)
	return s.String()
}

func (h *script) write() (string, error) {
	var batch backingtest.Batch
	err := h.engine.Write(&batch)
	if h.backing != nil {
		h.backing.Apply(&batch)
	}
	return strings.Join(append(batch.Log(), ""), "\n"), err
}

func (h *script) open() string {
	var out strings.Builder
	h.engine.EachOpen(func(w OpenWindow) bool {
		fmt.Fprintf(&out, "%s %s to %s, %d groups, closes at %s\n", h.outputs[w.Output].Name, showTime(w.Start), showTime(w.End), w.Groups, showTime(w.Closes))
		return true
	})
	if w, ok := h.engine.OldestOpen(); ok {
		fmt.Fprintf(&out, "oldest: %s %s; results to come: %v\n", h.outputs[w.Output].Name, showTime(w.Start), h.engine.OpenWindows())
	}
	return out.String()
}

const day1 = "2013-01-01T"

func mustTime(s string) int64 {
	switch s {
	case "never":
		return NoWatermark
	case "end":
		return 1 << 62
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", "2006-01-02T15:04:05Z"} {
		for _, text := range []string{s, day1 + s + "Z"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.UnixMilli()
			}
		}
	}
	panic("no time: " + s)
}

func showTime(ms int64) string {
	return strings.TrimPrefix(time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z"), day1)
}

func mustSpan(s string) int64 {
	d, err := time.ParseDuration(s)
	check(err)
	return d.Milliseconds()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

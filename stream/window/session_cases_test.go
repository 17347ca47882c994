package window

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// The files in testdata/session show what sessions do, to be read. Commands besides those of TestEngineCases:
//
//	sessions [memory=BYTES] [nobacking]   one output a line: NAME KIND SETTING... AGG...; a new engine, empty Backing.
//	                                      KIND is session, tumbling or hopping; settings are gap, within, size, every,
//	                                      lateness and zone
//	write                                 the changes of sessions, in words
//	stored                                sessions in the Backing, in words
//	memory                                sessions in memory, and those that only the Backing has
func TestSessionCases(t *testing.T) {
	datadriven.Walk(t, "testdata/session", func(t *testing.T, path string) {
		h := &sessionScript{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := h.run(t, d)
			var corrupt *CorruptError
			switch {
			case errors.As(err, &corrupt):
				out += "corrupt: " + err.Error() + "\n"
			case err != nil:
				out += "error: " + err.Error() + "\n"
			}
			return out
		})
	})
}

type sessionScript struct{ script }

func (h *sessionScript) run(t *testing.T, d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "sessions":
		return h.start(t, d)
	case "write":
		w := &sessionTrace{outputs: h.outputs}
		if err := h.engine.Write(w); err != nil {
			return w.String(), err
		}
		h.backing.Apply(&w.Batch)
		return w.String(), nil
	case "stored":
		return h.stored(), nil
	case "memory":
		return h.memory(), nil
	}
	return h.script.run(t, d)
}

func (h *sessionScript) start(t *testing.T, d *datadriven.TestData) (string, error) {
	h.outputs = nil
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		o := Output{Name: f[0]}
		for _, s := range f[2:] {
			name, val, isSetting := strings.Cut(s, "=")
			switch {
			case !isSetting:
				o.Aggs = append(o.Aggs, parseAgg(s))
			case name == "gap":
				o.Gap = mustSpan(val)
			case name == "within" || name == "size":
				o.Size = mustSpan(val)
			case name == "every":
				o.Every = mustSpan(val)
			case name == "lateness":
				o.Lateness = mustSpan(val)
			case name == "zone":
				z, err := LoadZone(val)
				if err != nil {
					return "", err
				}
				o.Zone = z
			}
		}
		h.outputs = append(h.outputs, o)
	}
	h.backing = backingtest.New()
	if d.HasArg("nobacking") {
		h.backing = nil
	}
	return "", h.restart(t, d)
}

// stored is what the Backing has of sessions, in words.
func (h *sessionScript) stored() string {
	var s strings.Builder
	for _, k := range h.backing.Keys() {
		if words := sessionWords(h.outputs, []byte(k), []byte(h.backing.Value(k))); words != "" {
			fmt.Fprintln(&s, words)
		}
	}
	return s.String()
}

// memory is where sessions are.
func (h *sessionScript) memory() string {
	var out strings.Builder
	for i := range h.engine.outs {
		s := h.engine.outs[i].sess
		if s == nil {
			continue
		}
		for _, sp := range s.spans {
			fmt.Fprintf(&out, "%s span at %s: %d open, %d of them only stored\n", s.out.Name, showTime(sp.Start), sp.open, sp.absent())
		}
	}
	return out.String()
}

// sessionWords says in words what a key of sessions and its value are: nothing for other keys.
func sessionWords(outputs []Output, k, v []byte) string {
	if k[0] < prefixSession || k[0] > prefixSessionDue {
		return ""
	}
	o := &outputs[binary.BigEndian.Uint16(k[1:])]
	if k[0] == prefixSessionSpan {
		h, err := readSpanHeader(v)
		check(err)
		return fmt.Sprintf("span     %s at %s: %d open, last event at %s", o.Name, showTime(timeAt(k[3:])), h.open, showTime(h.last))
	}
	at, key, first, err := splitSessionKey(k)
	check(err)
	if k[0] == prefixSessionDue {
		return fmt.Sprintf("due      %s at %s: %s from %s", o.Name, showTime(at), key, showTime(first))
	}
	length, rest, err := sessionLength(v, &sessionSpan{Span: Span{first, 1 << 60}}, first)
	check(err)
	events, _, err := uvarint(rest[1:])
	check(err)
	return fmt.Sprintf("session  %s %s from %s to %s: %d events, record %x", o.Name, key, showTime(first), showTime(first+length), events, rest)
}

// sessionTrace is a Writer that passes changes on and writes those of sessions down in words.
type sessionTrace struct {
	backingtest.Batch
	strings.Builder
	outputs []Output
}

func (w *sessionTrace) Set(k, v []byte) error {
	if s := sessionWords(w.outputs, k, v); s != "" {
		fmt.Fprintln(w, "set    ", s)
	}
	return w.Batch.Set(k, v)
}

func (w *sessionTrace) Delete(k []byte) error {
	at, key, first, err := splitSessionKey(k)
	check(err)
	if k[0] == prefixSession {
		fmt.Fprintf(w, "delete  session  %s from %s\n", key, showTime(first))
	} else {
		fmt.Fprintf(w, "delete  due      at %s: %s from %s\n", showTime(at), key, showTime(first))
	}
	return w.Batch.Delete(k)
}

func (w *sessionTrace) DeleteRange(lo, hi []byte) error {
	if lo[0] >= prefixSession && lo[0] <= prefixSessionDue {
		what := map[byte]string{prefixSessionSpan: "spans", prefixSessionDue: "due"}[lo[0]]
		from := "the beginning"
		if at := timeAt(lo[3:]); at > TimeMin {
			from = showTime(at)
		}
		fmt.Fprintf(w, "delete  %s from %s to before %s\n", what, from, time.UnixMilli(timeAt(hi[3:])).UTC().Format("2006-01-02T15:04:05.999Z"))
	}
	return w.Batch.DeleteRange(lo, hi)
}

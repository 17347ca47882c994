package join

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// The files in testdata/interval and testdata/enrichment show what the operators do, to be read. Commands:
//
//	interval lower=D upper=D lateness=D [memory=BYTES] [matches=N] [nobacking]    a new operator, empty Backing
//	enrichment lateness=D [memory=BYTES] [nobacking]
//	add wm=TIME                one event a line: left|right TIME KEY ROW [id=ID] [wm=TIME] [place]; its verdict and pairs
//	close TIME                 the pairs
//	write                      what the Writer is given, then applied
//	restart [memory=BYTES]     a new operator over the Backing, as after a crash
//	bound TIME                 Bound
//	buffered                   Buffered and Closed
//	state                      every stored key and value, in hexadecimal
//	load                       put such keys and values into the Backing; then restart
//
// A time is HH:MM[:SS[.mmm]] on 2013-01-01, "never" (no watermark) or "end" (above every time). D is a Go duration. An
// identity is the hash of ID, which is ROW if it isn't given.
func TestIntervalCases(t *testing.T)   { runScripts(t, "testdata/interval") }
func TestEnrichmentCases(t *testing.T) { runScripts(t, "testdata/enrichment") }

// State that an older program has written is read as it was meant. The `load` commands in testdata/golden are old bytes:
// they are never changed; a new version of the format adds a file.
func TestGoldenState(t *testing.T) { runScripts(t, "testdata/golden") }

func runScripts(t *testing.T, dir string) {
	datadriven.Walk(t, dir, func(t *testing.T, path string) {
		h := &script{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := h.run(d)
			var corrupt *window.CorruptError
			switch {
			case errors.As(err, &corrupt):
				return out + "corrupt: " + err.Error() + "\n"
			case err != nil:
				return out + "error: " + err.Error() + "\n"
			}
			return out
		})
	})
}

type script struct {
	enrich  bool
	opts    IntervalOptions
	backing *backingtest.Store
	op      Operator
}

func (h *script) run(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "interval", "enrichment":
		return h.start(d)
	case "restart":
		return "", h.restart(d)
	case "add":
		return h.add(d)
	case "close":
		at, err := parseTime(d.CmdArgs[0].Key)
		if err != nil {
			return "", err
		}
		var out strings.Builder
		err = h.op.Close(at, func(p *Pair) error { return describe(&out, p) })
		return out.String(), err
	case "write":
		var batch backingtest.Batch
		err := h.op.Write(&batch)
		h.backing.Apply(&batch)
		return strings.Join(append(batch.Log(), ""), "\n"), err
	case "bound":
		return h.bound(d)
	case "buffered":
		return fmt.Sprintf("%d, closed up to %s\n", h.op.Buffered(), showTime(h.op.Closed())), nil
	case "state":
		return h.backing.String(), nil
	case "load":
		return "", h.load(d)
	}
	return "", fmt.Errorf("no command %s", d.Cmd)
}

func (h *script) start(d *datadriven.TestData) (string, error) {
	*h = script{enrich: d.Cmd == "enrichment", backing: backingtest.New()}
	for _, arg := range d.CmdArgs {
		var err error
		switch arg.Key {
		case "lower":
			h.opts.Lower, err = parseSpan(arg.Vals[0])
		case "upper":
			h.opts.Upper, err = parseSpan(arg.Vals[0])
		case "lateness":
			h.opts.Lateness, err = parseSpan(arg.Vals[0])
		case "matches":
			h.opts.MatchesMax, err = strconv.Atoi(arg.Vals[0])
		case "memory":
			h.opts.MemoryMax, err = strconv.ParseInt(arg.Vals[0], 10, 64)
		case "nobacking":
			h.backing = nil
		default:
			err = fmt.Errorf("no setting %s", arg.Key)
		}
		if err != nil {
			return "", err
		}
	}
	return "", h.open()
}

func (h *script) open() (err error) {
	var back window.Backing
	if h.backing != nil {
		back = h.backing
	}
	if h.enrich {
		h.op, err = NewEnrichment(EnrichmentOptions{Lateness: h.opts.Lateness, MemoryMax: h.opts.MemoryMax}, back)
		return err
	}
	h.op, err = NewInterval(h.opts, back)
	return err
}

func (h *script) restart(d *datadriven.TestData) (err error) {
	if d.HasArg("memory") {
		if h.opts.MemoryMax, err = strconv.ParseInt(d.CmdArgs[0].Vals[0], 10, 64); err != nil {
			return err
		}
	}
	return h.open()
}

func (h *script) add(d *datadriven.TestData) (string, error) {
	var out strings.Builder
	for line := range strings.Lines(d.Input) {
		words := strings.Fields(line)
		side := Left
		if words[0] == "right" {
			side = Right
		}
		at, err := parseTime(words[1])
		if err != nil {
			return out.String(), err
		}
		key, row, id, mark, hasID := words[2], words[3], words[3], d.CmdArgs[0].Vals[0], true
		for _, more := range words[4:] {
			switch name, val, _ := strings.Cut(more, "="); name {
			case "id":
				id = val
			case "wm":
				mark = val
			case "place":
				hasID = false
			}
		}
		wm, err := parseTime(mark)
		if err != nil {
			return out.String(), err
		}
		var pairs strings.Builder
		v, err := h.op.Add(side, []byte(key), at, sha256Of(id), hasID, []byte(row), wm, func(p *Pair) error { return describe(&pairs, p) })
		if err != nil {
			return out.String() + pairs.String(), err
		}
		fmt.Fprintf(&out, "%s: %v\n%s", row, v.Outcome, pairs.String())
	}
	return out.String(), nil
}

func describe(out *strings.Builder, p *Pair) error {
	right := "nothing"
	if p.Right != nil {
		right = string(p.Right)
	}
	_, err := fmt.Fprintf(out, "  %s %s with %s\n", showTime(p.Time), p.Left, right)
	return err
}

func (h *script) bound(d *datadriven.TestData) (string, error) {
	limit, err := parseTime(d.CmdArgs[0].Key)
	if err != nil {
		return "", err
	}
	at, ok, err := h.op.Bound(limit)
	if err != nil || !ok {
		return "none\n", err
	}
	return showTime(at) + "\n", nil
}

func (h *script) load(d *datadriven.TestData) error {
	for line := range strings.Lines(d.Input) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " =")
		key, err := hex.DecodeString(k)
		if err != nil {
			return err
		}
		val, err := hex.DecodeString(strings.TrimSpace(v))
		if err != nil {
			return err
		}
		h.backing.Put(string(key), string(val))
	}
	return h.open()
}

var day = time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)

func parseTime(s string) (int64, error) {
	switch s {
	case "never":
		return window.NoWatermark, nil
	case "end":
		return 1 << 60, nil
	}
	for _, form := range []string{"15:04", "15:04:05", "15:04:05.000"} {
		if at, err := time.Parse(form, s); err == nil {
			return day.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute +
				time.Duration(at.Second())*time.Second + time.Duration(at.Nanosecond())).UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("no time: %s", s)
}

func showTime(t int64) string {
	switch {
	case t == window.NoWatermark:
		return "never"
	case t == 1<<60:
		return "end"
	}
	return strings.TrimSuffix(strings.TrimSuffix(time.UnixMilli(t).UTC().Format("15:04:05.000"), ".000"), ":00")
}

func parseSpan(s string) (int64, error) {
	d, err := time.ParseDuration(s)
	return d.Milliseconds(), err
}

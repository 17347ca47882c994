package window

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The files in testdata/watermark show what the watermark does. Commands:
//
//	watermark ooo=SPAN max-future=SPAN confirm=N    a partition that has had no event
//	observe                                         one event a line: TIME ID; the watermark after it
//	raise TIME                                      a decision
//	json                                            as it is stored
func TestWatermarkCases(t *testing.T) {
	datadriven.Walk(t, "testdata/watermark", func(t *testing.T, path string) {
		var w Watermark
		var o WatermarkOptions
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "watermark":
				var ooo, future string
				d.ScanArgs(t, "ooo", &ooo)
				d.ScanArgs(t, "max-future", &future)
				d.ScanArgs(t, "confirm", &o.Confirm)
				o.OutOfOrderness, o.MaxFuture = mustSpan(ooo), mustSpan(future)
				w = NewWatermark()
			case "observe":
				for line := range strings.Lines(d.Input) {
					f := strings.Fields(line)
					var id [16]byte
					copy(id[:], f[1])
					w.Observe(mustTime(f[0]), id, o)
					out.WriteString(showWatermark(&w, o))
				}
			case "raise":
				w.Raise(mustTime(d.CmdArgs[0].Key), o)
				out.WriteString(showWatermark(&w, o))
			case "json":
				return throughJSON(t, &w)
			}
			return out.String()
		})
	})
}

func showWatermark(w *Watermark, o WatermarkOptions) string {
	show := func(t int64) string {
		if t == NoWatermark {
			return "none"
		}
		return showTime(t)
	}
	s := fmt.Sprintf("base %s, watermark %s", show(w.Base), show(w.Value(o)))
	for i, p := range w.Pending {
		s += fmt.Sprintf("%s %s %s", []string{", pending", ","}[min(i, 1)], showTime(p.Time), strings.TrimRight(string(p.ID[:]), "\x00"))
	}
	return s + "\n"
}

// throughJSON writes w, reads it back into w, and makes sure that it is the same.
func throughJSON(t *testing.T, w *Watermark) string {
	t.Helper()
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var back Watermark
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if back.Base != w.Base || !slices.Equal(back.Pending, w.Pending) {
		t.Fatalf("%s is read as %+v", b, back)
	}
	*w = back
	return string(b) + "\n"
}

func TestPendingJSONRefusesOtherIDs(t *testing.T) {
	for _, s := range []string{`{"time":1,"id":"00"}`, `{"time":1,"id":"zz"}`, `{"time":"x"}`, `{"time":1}`} {
		var p Pending
		if err := json.Unmarshal([]byte(s), &p); err == nil {
			t.Errorf("%s is read as %+v", s, p)
		}
	}
}

// rule is a reading of the guard, in the words of the model far_future.py.
type rule struct {
	name string
	full func(pending []int64) (base int64) // when confirm+1 are held
}

// modelBase is the model: the base after a log of distinct events under a rule.
func modelBase(log []int64, o WatermarkOptions, r rule) int64 {
	base := int64(NoWatermark)
	var pending []int64
	for _, t := range log {
		if base != NoWatermark && t <= base+o.MaxFuture {
			base = max(base, t)
			continue
		}
		pending = append(pending, t)
		slices.Sort(pending)
		if len(pending) <= o.Confirm {
			continue
		}
		base = max(base, r.full(pending))
		for changed := true; changed; {
			changed = false
			pending = slices.DeleteFunc(pending, func(p int64) bool {
				if p > base+o.MaxFuture {
					return false
				}
				base, changed = max(base, p), true
				return true
			})
		}
	}
	return base
}

var (
	lowestHeld  = rule{"lowest of the held", func(p []int64) int64 { return p[0] }}
	highestHeld = rule{"highest of the held", func(p []int64) int64 { return p[len(p)-1] }}
)

// jumpyLog is the model's log: time passes, with gaps like weekends, and one bad stamp.
func jumpyLog(r *rand.Rand) []int64 {
	var log []int64
	t := int64(0)
	for range 40 {
		t += int64(r.IntN(4))
		if r.IntN(20) == 0 {
			t += 30 + int64(r.IntN(51))
		}
		log = append(log, t)
	}
	return slices.Insert(log, r.IntN(31), 100_000)
}

// The model far_future.py (invariant 12): a bad stamp never pulls the watermark along, and the rule that looks right
// ("the highest pending time") does let it in, in most logs.
func TestFarFutureModel(t *testing.T) {
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	o := WatermarkOptions{MaxFuture: 24, Confirm: 3}
	wrong := 0
	for range 5000 {
		log := jumpyLog(r)
		w := NewWatermark()
		for i, at := range log {
			before := w.Value(o)
			w.Observe(at, [16]byte{byte(i)}, o)
			if w.Value(o) < before {
				t.Fatalf("the watermark fell from %d to %d at event %d of %v", before, w.Value(o), i, log)
			}
			if len(w.Pending) > o.Confirm {
				t.Fatalf("%d events pending after %d of %v", len(w.Pending), i, log)
			}
		}
		if w.Base > 90_000 {
			t.Fatalf("one bad stamp moved the base to %d in %v", w.Base, log)
		}
		if want := modelBase(log, o, lowestHeld); w.Base != want {
			t.Fatalf("base %d, the model says %d of %v", w.Base, want, log)
		}
		if modelBase(log, o, highestHeld) > 90_000 {
			wrong++
		}
	}
	if wrong < 2500 {
		t.Fatalf("the wrong rule %q was let in by the bad stamp in %d logs only: these logs prove nothing", highestHeld.name, wrong)
	}
}

// Copies confirm nothing, whatever else has been seen of the event: distinctness is the partition's own.
func TestCopiesConfirmNothing(t *testing.T) {
	o := WatermarkOptions{MaxFuture: 24, Confirm: 3}
	w := NewWatermark()
	w.Raise(0, o)
	for range 100 {
		w.Observe(100_000, [16]byte{1}, o)
		w.Observe(100_000, [16]byte{2}, o)
		w.Observe(200_000, [16]byte{3}, o)
	}
	if w.Base != 0 || len(w.Pending) != 3 {
		t.Fatalf("%+v", w)
	}
}

// Small topics have no watermark until as many events as confirm a jump have come (the model's last line).
func TestFirstEventIsBeyond(t *testing.T) {
	o := WatermarkOptions{MaxFuture: 24, Confirm: 3}
	w := NewWatermark()
	for i := range 4 {
		if got := w.Value(o); got != NoWatermark {
			t.Fatalf("watermark %d after %d events", got, i)
		}
		w.Observe(int64(i), [16]byte{byte(i)}, o)
	}
	if got := w.Value(o); got != 3 {
		t.Fatalf("watermark %d", got)
	}
}

// A decision raises to exactly what it says, and never lowers; the ends of the range of times don't overflow.
func TestRaise(t *testing.T) {
	o := WatermarkOptions{OutOfOrderness: 10, MaxFuture: math.MaxInt64, Confirm: 3}
	w := NewWatermark()
	for _, c := range []struct{ to, want int64 }{
		{NoWatermark, NoWatermark}, {TimeMin, TimeMin}, {50, 50}, {40, 50}, {TimeMax + SpanMax, TimeMax + SpanMax}, {TimeMin, TimeMax + SpanMax},
	} {
		if w.Raise(c.to, o); w.Value(o) != c.want {
			t.Fatalf("raised to %d: %d, want %d", c.to, w.Value(o), c.want)
		}
	}
	w.Observe(TimeMax, [16]byte{}, o)
	if w.Value(o) != TimeMax+SpanMax || len(w.Pending) != 0 {
		t.Fatalf("%+v", w)
	}
}

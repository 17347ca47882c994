package window

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

func counts() []Output {
	return []Output{{Name: "o", Size: 10, Aggs: []Agg{{Name: "n", Func: Count, Arg: -1}}}}
}

func sums() []Output {
	return []Output{{Name: "o", Size: 10, Aggs: []Agg{{Name: "s", Func: Sum, Arg: 0, In: long}}}}
}

func event(t int64, key, id string, args ...schema.Value) *Input {
	in := &Input{Time: t, HasID: id != "", Keys: [][]byte{[]byte(key)}, Args: [][]schema.Value{args}}
	copy(in.ID[:], id)
	return in
}

// engine makes one, or ends the test.
func engine(t *testing.T, outputs []Output, back Backing, memory int64) *Engine {
	t.Helper()
	e, err := NewEngine(outputs, back, EngineOptions{MemoryMax: memory})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNewEngineRefuses(t *testing.T) {
	with := func(change func(*Output)) []Output {
		o := sums()
		change(&o[0])
		return o
	}
	for _, c := range []struct {
		want    string
		outputs []Output
	}{
		{"0 outputs", nil},
		{"65 outputs", make([]Output, 65)},
		{"window size 0", with(func(o *Output) { o.Size = 0 })},
		{"window size", with(func(o *Output) { o.Size = SpanMax + 1 })},
		{"allowed lateness -1", with(func(o *Output) { o.Lateness = -1 })},
		{"257 aggregates", with(func(o *Output) { o.Aggs = make([]Agg, 257) })},
		{"unknown function 0", with(func(o *Output) { o.Aggs[0].Func = 0 })},
		{"unknown function 8", with(func(o *Output) { o.Aggs[0].Func = 8 })},
		{"argument number -1", with(func(o *Output) { o.Aggs[0].Arg = -1 })},
		{"argument number 256", with(func(o *Output) { o.Aggs[0].Arg = 256 })},
		{"it needs a number", with(func(o *Output) { o.Aggs[0].In = schema.Type{Kind: schema.KindString, Avro: "string"} })},
		{"they start every 1 to 10 ms", with(func(o *Output) { o.Size, o.Every = 10, 11 })},
		{"they start every 1 to 10 ms", with(func(o *Output) { o.Size, o.Every = 10, -1 })},
		{"each event would be in 1001 of them, at most 1000", with(func(o *Output) { o.Size, o.Every = 1001, 1 })},
		{"the gap is from 1 to 10", with(func(o *Output) { o.Size, o.Gap = 10, 11 })},
		{"the gap is from 1 to 10", with(func(o *Output) { o.Size, o.Gap = 10, -1 })},
		{"sessions don't hop", with(func(o *Output) { o.Size, o.Gap, o.Every = 10, 2, 5 })},
		{"sessions have no updates", with(func(o *Output) { o.Size, o.Gap, o.Updates = 10, 2, true })},
		{"need 70 bits", slices.Repeat(with(func(o *Output) { o.Size, o.Every = 1000, 1 }), 7)},
		{"it needs a condition", with(func(o *Output) { o.Aggs[0].Func = CountIf })},
	} {
		if _, err := NewEngine(c.outputs, nil, EngineOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	for _, o := range []EngineOptions{{MemoryMax: -1}, {OpenMax: -1}} {
		if _, err := NewEngine(counts(), nil, o); err == nil {
			t.Errorf("limits %+v are taken", o)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	one := schema.IntValue(1)
	for _, c := range []struct {
		want string
		in   *Input
	}{
		{"years 1 to 9999", event(TimeMin-1, "k", "", one)},
		{"years 1 to 9999", event(TimeMax+1, "k", "", one)},
		{"1 keys and 0 argument lists", &Input{Keys: [][]byte{nil}}},
		{"for outputs 10 of 1", &Input{Keys: [][]byte{nil}, Args: [][]schema.Value{{one}}, Outputs: 2}},
		{"0 arguments", event(0, "k", "")},
		{"argument 0 is null, declared as int", event(0, "k", "", schema.NullValue())},
		{"argument 0 is float", event(0, "k", "", schema.FloatValue(1))},
		{"a group key of 65537 bytes", event(0, strings.Repeat("k", KeyMax+1), "", one)},
		{"identity must cover", event(0, "other", "seen", one)},
	} {
		e := engine(t, sums(), nil, 0)
		if _, err := e.Add(event(0, "k", "seen", one), NoWatermark); err != nil {
			t.Fatal(err)
		}
		_, err := e.Add(c.in, NoWatermark)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
			continue
		}
		// An engine that has failed is of no use any more: its state may be half changed.
		_, again := e.Add(event(0, "k", "", one), NoWatermark)
		if closed := e.Close(10, nil); !errors.Is(again, err) || !errors.Is(closed, err) || !errors.Is(e.Write(nil), err) {
			t.Errorf("after %q: Add %v, Close %v", err, again, closed)
		}
	}
}

// The largest keys, lateness and sizes work.
func TestLimitsAreTaken(t *testing.T) {
	back := backingtest.New()
	outputs := []Output{{Name: "o", Size: SpanMax, Lateness: SpanMax, Aggs: counts()[0].Aggs}}
	e := engine(t, outputs, back, 1)
	for _, k := range []string{strings.Repeat("k", KeyMax), strings.Repeat("k", KeyMax-1), ""} {
		for _, at := range []int64{TimeMin, TimeMax} {
			if _, err := e.Add(event(at, k, fmt.Sprint(len(k), at < 0)), NoWatermark); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := apply(back, e); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := engine(t, outputs, back, 0).Close(math.MaxInt64, func(r *Result) error {
		got = append(got, fmt.Sprint(r.Start < 0, len(r.Key)))
		return nil
	})
	if want := "[true 0 true 65535 true 65536 false 0 false 65535 false 65536]"; err != nil || fmt.Sprint(got) != want {
		t.Fatalf("%v, %v, want %v", got, err, want)
	}
}

// Law L2 (invariant 5): neither Add nor Close goes below a watermark that has closed windows, nor after a restart.
func TestClosedWindowsStayClosed(t *testing.T) {
	back := backingtest.New()
	e := engine(t, counts(), back, 0)
	if err := e.Close(100, nil); err != nil {
		t.Fatal(err)
	}
	if err := apply(back, e); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*Engine{e, engine(t, counts(), back, 0)} {
		if v, err := e.Add(event(5, "k", ""), 100); err != nil || v.Outcome != Late {
			t.Fatal(v, err)
		}
		if err := e.Close(100, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Add(event(5, "k", ""), 99); !errors.Is(err, ErrWatermarkFell) {
			t.Fatal(err)
		}
	}
	if err := engine(t, counts(), back, 0).Close(99, nil); !errors.Is(err, ErrWatermarkFell) {
		t.Fatal(err)
	}
}

// Without a Backing there is nowhere to evict to.
func TestMemoryLimitWithoutBacking(t *testing.T) {
	e := engine(t, counts(), nil, 10_000)
	for i := range 1_000 {
		if _, err := e.Add(event(0, fmt.Sprint("key ", i), ""), NoWatermark); err != nil {
			if !errors.Is(err, ErrMemory) || i < 20 {
				t.Fatalf("event %d: %v", i, err)
			}
			return
		}
	}
	t.Fatalf("%d bytes are taken", e.Memory())
}

var errDisk = errors.New("disk")

// Every error of the Backing, of the Writer and of emit reaches the caller.
func TestErrorsReachTheCaller(t *testing.T) {
	back := backingtest.New()
	e := engine(t, sums(), back, 0)
	for _, k := range []string{"a", "b"} {
		if _, err := e.Add(event(0, k, k, schema.IntValue(1)), NoWatermark); err != nil {
			t.Fatal(err)
		}
	}
	if err := apply(back, e); err != nil {
		t.Fatal(err)
	}
	broken := func() *Engine {
		b := back.Clone()
		e := engine(t, sums(), b, 0)
		b.Fail = errDisk
		return e
	}
	_, record := broken().Add(event(0, "a", "", schema.IntValue(1)), NoWatermark)
	_, ids := broken().Add(event(0, "a", "a", schema.IntValue(1)), NoWatermark)
	failing := back.Clone()
	failing.Fail = errDisk
	_, opening := NewEngine(sums(), failing, EngineOptions{})
	for what, err := range map[string]error{
		"record": record, "identities": ids, "opening": opening,
		"close": broken().Close(10, func(*Result) error { return nil }),
		"emit":  engine(t, sums(), back, 0).Close(10, func(*Result) error { return errDisk }),
	} {
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := range 7 {
		e := engine(t, sums(), back.Clone(), 0)
		steps := []error{e.Close(5, nil)}
		_, err := e.Add(event(0, "a", "c", schema.IntValue(1)), 5)
		steps = append(steps, err, e.Write(&backingtest.Batch{}), e.Close(10, func(*Result) error { return nil }))
		_, err = e.Add(event(10, "a", "c", schema.IntValue(1)), 10)
		if steps = append(steps, err); errors.Join(steps...) != nil {
			t.Fatal(steps)
		}
		if err := e.Write(&failingWriter{after: n}); !errors.Is(err, errDisk) {
			t.Errorf("write %d: %v", n, err)
		}
	}
}

// failingWriter fails after so many changes.
type failingWriter struct{ after int }

func (w *failingWriter) change() error {
	if w.after--; w.after < 0 {
		return errDisk
	}
	return nil
}

func (w *failingWriter) Set(_, _ []byte) error         { return w.change() }
func (w *failingWriter) Delete(_ []byte) error         { return w.change() }
func (w *failingWriter) DeleteRange(_, _ []byte) error { return w.change() }

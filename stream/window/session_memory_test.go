package window

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

func dailySessions(aggs ...Agg) []Output {
	return []Output{{Name: "s", Size: 86_400_000, Gap: 1_000, Lateness: 500, Aggs: aggs}}
}

func ignore(*Result) error { return nil }

// Invariant S6: a span in which sessions come and go all day takes the memory of those that are open, exact sums beyond
// 128 bits and accumulators included.
func TestClosedSessionsGiveMemoryBack(t *testing.T) {
	e := engine(t, dailySessions(Agg{Name: "sum", Func: Sum, Arg: 0, In: double}, Agg{Name: "bag", Func: Custom, Arg: 1, In: nullLong, Custom: bag{}}), nil, 0)
	const each = 2_000
	most, early := int64(0), int64(0)
	for i := range int64(15_000) {
		at := i * 10
		x := math.Ldexp(1, int(i%2)*1_000) // far apart, so that sums leave 128 bits
		if _, err := e.Add(event(at, fmt.Sprint("group ", i%(each/2)), "", schema.FloatValue(x), schema.IntValue(i)), e.closed); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Add(event(at+1, fmt.Sprint("group ", i%(each/2)), "", schema.FloatValue(-1/x), schema.IntValue(i)), e.closed); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(at-1_000, ignore); err != nil {
			t.Fatal(err)
		}
		if i == 4_000 {
			early = e.mem.used
		}
		most = max(most, e.mem.used)
		if err := sessionsOf(e).faults(); i%5_000 == 0 && err != nil {
			t.Fatal(err)
		}
	}
	if open := e.OpenWindows()[0]; open > 300 {
		t.Fatalf("%d sessions are open", open)
	}
	if most > 3*early {
		t.Fatalf("%d bytes early on, at most %d for as many sessions", early, most)
	}
}

// Invariant S6 for sessions that merge, as in the reconciler, which closes nothing until the end: group after group has
// many sessions that then become one.
func TestJoinedSessionsGiveMemoryBack(t *testing.T) {
	e := engine(t, dailySessions(Agg{Name: "sum", Func: Sum, Arg: 0, In: double}), nil, 0)
	const groups, each = 200, 200
	for g := range groups {
		for _, from := range []int64{0, 750} {
			for i := range int64(each) {
				if _, err := e.Add(event(i*1_500+from, fmt.Sprint("group ", g), "", schema.FloatValue(1)), NoWatermark); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := sessionsOf(e).faults(); err != nil {
			t.Fatal(err)
		}
	}
	if n := sessionsOf(e).spans[0].p.recs.n; n > 3*(groups+each) {
		t.Fatalf("%d records for %d sessions", n, e.OpenWindows()[0])
	}
	err := e.Close(1<<60, func(res *Result) error {
		if res.Events != 2*each || res.Values[0].Float() != 2*each {
			return fmt.Errorf("%s has %d events, %v", res.Key, res.Events, res.Values[0])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// At a steady rate sessions come and go with hardly an allocation.
func TestSessionsAllocateLittle(t *testing.T) {
	e := engine(t, dailySessions(Agg{Name: "sum", Func: Sum, Arg: 0, In: double}), nil, 0)
	keys := make([][]byte, 5_000)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "a key of some length %06d", i)
	}
	in := event(0, "", "", schema.FloatValue(1))
	n := int64(0)
	run := func() {
		for range 100_000 {
			in.Time, in.Keys[0] = n/10, keys[n*7919%int64(len(keys))]
			if _, err := e.Add(in, e.closed); err != nil {
				t.Fatal(err)
			}
			if n++; n%1_000 == 0 {
				if err := e.Close(n/10-1_000, ignore); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	run()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	if got := after.Mallocs - before.Mallocs; got > 5_000 {
		t.Fatalf("%d allocations for 100,000 events", got)
	}
}

// Finding what is due reads what is due, however many sessions are stored: Close, Write, and the questions that are
// asked at each commit.
func TestDueSessionsAreFoundWithoutAWalk(t *testing.T) {
	const sessions = 5_000
	outputs := dailySessions(Agg{Name: "n", Func: Count, Arg: -1})
	back := backingtest.New()
	e := engine(t, outputs, back, 1)
	for i := range int64(sessions) {
		if _, err := e.Add(event(i*100, fmt.Sprint("key ", i), ""), NoWatermark); err != nil {
			t.Fatal(err)
		}
	}
	if err := apply(back, e); err != nil {
		t.Fatal(err)
	}
	if p := sessionsOf(e).spans[0].p; p != nil {
		t.Fatalf("%d sessions are in memory", p.live)
	}
	e = engine(t, outputs, back, 1)
	back.Scanned = 0
	for i := range int64(50) {
		results := 0
		if err := e.Close(1_500+i*100, func(*Result) error { results++; return nil }); err != nil || results != 1 {
			t.Fatal(results, err)
		}
		if at, ok := e.Bound(math.MaxInt64); !ok || at != (sessions-1)*100+1_500 {
			t.Fatal(at, ok)
		}
		if at, ok := e.Bound(100_000); !ok || at != 100_500 {
			t.Fatal(at, ok)
		}
		if w, ok := e.OldestOpen(); !ok || w.Closes != 1_600+i*100 || w.Groups != sessions-1-i {
			t.Fatal(w, ok)
		}
		if err := apply(back, e); err != nil {
			t.Fatal(err)
		}
	}
	if back.Scanned > 50*20 {
		t.Fatalf("%d keys read to close 50 sessions", back.Scanned)
	}
}

// A watermark that jumps over many evicted sessions closes them in order, in pieces of limited memory.
func TestManyEvictedSessionsCloseInPieces(t *testing.T) {
	const n, limit = 8_000, 64 << 10
	outputs := dailySessions(Agg{Name: "n", Func: Count, Arg: -1})
	back := backingtest.New()
	e := engine(t, outputs, back, limit)
	for i := range int64(n) {
		if _, err := e.Add(event(i*7919%40_000/4*4, fmt.Sprint("key ", i), ""), NoWatermark); err != nil {
			t.Fatal(err)
		}
		if i%1_000 == 999 {
			if err := apply(back, e); err != nil {
				t.Fatal(err)
			}
			if e.Memory() > limit {
				t.Fatalf("%d bytes after a Write, the limit is %d", e.Memory(), limit)
			}
		}
	}
	results, last, most := 0, "", int64(0)
	err := e.Close(1<<60, func(res *Result) error {
		results++
		at := string(append(appendTime(nil, res.Start), res.Key...))
		if at <= last {
			return fmt.Errorf("%d %s isn't behind the one before", res.Start, res.Key)
		}
		last, most = at, max(most, e.Memory())
		return nil
	})
	if err != nil || results != n {
		t.Fatal(results, err)
	}
	if most > limit {
		t.Fatalf("closing took %d bytes, the limit is %d", most, limit)
	}
}

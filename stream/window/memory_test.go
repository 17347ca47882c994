package window

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// Invariant 11: at a steady rate windows come and go without an allocation for an event.
func TestAddAllocatesNothing(t *testing.T) {
	hopping := loadOutput()
	hopping[0].Every = hopping[0].Size / 4
	for name, outputs := range map[string][]Output{"tumbling": loadOutput(), "hopping": hopping} {
		t.Run(name, func(t *testing.T) { addAllocatesNothing(t, outputs) })
	}
}

func addAllocatesNothing(t *testing.T, outputs []Output) {
	const keys, perWindow = 2_000, 50_000
	e := engine(t, outputs, nil, 0)
	l := newLoad(true)
	n := 0
	runWindow := func() {
		for range perWindow {
			in := l.event(n)
			in.Time = int64(n) * minute / perWindow
			in.Keys[0] = l.key(n % keys)
			if _, err := e.Add(in, e.closed); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if err := e.Close(int64(n)*minute/perWindow-5_000, func(*Result) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := e.Write(&discard{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		runWindow()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		runWindow()
	}
	runtime.ReadMemStats(&after)
	if got := after.Mallocs - before.Mallocs; got > 300*uint64(outputs[0].most()) {
		t.Fatalf("%d allocations in 3 windows of %d events", got, perWindow)
	}
}

// Invariant 6 under a limit far below the state: identities go to filters, then filters go too, groups are read
// back; memory is bounded after each Write, and no verdict is wrong.
func TestManyIdentitiesInLittleMemory(t *testing.T) {
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, limit := range []int64{40 << 10, 160 << 10} {
		back := backingtest.New()
		e := engine(t, sums(), back, limit)
		ids := r.Perm(30_000)
		blind := false
		for i, id := range ids {
			checkAdd(t, e, id, Aggregated)
			if i%3_000 == 2_999 {
				checkAdd(t, e, ids[r.IntN(i+1)], Duplicate)
				checkAdd(t, e, id, Duplicate)
				if err := apply(back, e); err != nil {
					t.Fatal(err)
				}
				blind = blind || e.seen.buckets[0].b != nil && e.seen.buckets[0].b.blind
				if e.Memory() > limit {
					t.Fatalf("%d bytes after a Write, the limit is %d", e.Memory(), limit)
				}
			}
		}
		if blind != (limit == 40<<10) {
			t.Fatalf("with %d bytes: blind %v", limit, blind)
		}
		if !blind && back.Gets > 30_000/50+500 {
			t.Fatalf("%d reads for %d events: the filters let too many through", back.Gets, len(ids))
		}
		e = engine(t, sums(), back, limit) // a restart reads the filter again
		for range 200 {
			checkAdd(t, e, ids[r.IntN(len(ids))], Duplicate)
			checkAdd(t, e, 1_000_000+r.IntN(1<<40), Aggregated)
		}
	}
}

func checkAdd(t *testing.T, e *Engine, id int, want Outcome) {
	t.Helper()
	in := event(0, fmt.Sprint(id%7), "x", schema.IntValue(1))
	a, b := rand.New(rand.NewPCG(uint64(id), 7)), identity{}
	b.a, b.b = a.Uint64(), a.Uint64()
	copy(in.ID[:], b.append(nil))
	if v, err := e.Add(in, NoWatermark); err != nil || v.Outcome != want {
		t.Fatalf("identity %d: %v, %v, want %v", id, v.Outcome, err, want)
	}
}

// A window that is merged from the Backing takes no memory for its groups, not even those with wide sums.
func TestCloseStreams(t *testing.T) {
	out := []Output{{Name: "o", Size: 10, Aggs: []Agg{{Name: "s", Func: Sum, Arg: 0, In: double}}}}
	back := backingtest.New()
	e := engine(t, out, back, 1)
	for i := range 2_000 {
		for _, x := range []float64{1e300, 1e-300} {
			if _, err := e.Add(event(0, fmt.Sprintf("key %06d", i), "", schema.FloatValue(x)), NoWatermark); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := apply(back, e); err != nil {
		t.Fatal(err)
	}
	c := closing{e: e, o: &e.outs[0], ref: &e.outs[0].panes[0], result: &Result{Values: make([]schema.Value, 1)}, emit: func(*Result) error { return nil }}
	if err := c.run(); err != nil || c.n != 2_000 {
		t.Fatal(c.n, err)
	}
	if c.aside.wide.Bytes() > 16<<10 || e.Memory() > 1_000 {
		t.Fatalf("%d bytes of sums and %d others for a window that is not in memory", c.aside.wide.Bytes(), e.Memory())
	}
}

// Two keys with one hash are two groups.
func TestHashesThatMeet(t *testing.T) {
	l, err := layoutOf(&counts()[0])
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(0)
	p := newPane(&m)
	long := "more than sixteen bytes and then "
	keys := []string{"", "a", "b", "ab", "a\x00", "0123456789abcdef", "0123456789abcdeg", long + "x", long + "y", "0123456789abcdef" + "!"}
	for range 2 {
		for i, k := range keys {
			var g groupKey
			g.set([]byte(k), engine(t, counts(), nil, 0).seed)
			g.hash = 7
			at := p.find(&g, &l.shape)
			if at < 0 {
				at = p.insert(&g, &l.shape, &m)
			}
			if at != i {
				t.Fatalf("key %q is found at %d, put at %d", k, at, i)
			}
			if got := string(p.keyOf(nil, at, &l.shape)); got != k {
				t.Fatalf("key %q is read as %q", k, got)
			}
		}
	}
}

// Identities whose hashes meet, since only their second halves differ, are different identities; that of zeros is one
// like any other.
func TestIdentitiesThatMeet(t *testing.T) {
	sh, m := idShape(2), newMemory(0)
	var ids identities
	for i := range 100 {
		id := identity{0, uint64(i)}
		if at := ids.find(id, &sh, 1); at >= 0 {
			t.Fatalf("%v is found at %d before it has come", id, at)
		}
		ids.setOutputs(ids.insert(id, &sh, 1, &m), uint64(i), &sh)
	}
	for i := range 100 {
		if at := ids.find(identity{0, uint64(i)}, &sh, 1); at != i || ids.outputs(at, &sh) != uint64(i) {
			t.Fatalf("identity %d is found at %d", i, at)
		}
	}
}

// Long keys fill several blocks, and come out in order.
func TestManyLongKeys(t *testing.T) {
	e := engine(t, counts(), nil, 0)
	r := rand.New(rand.NewPCG(seed, 2))
	var want []string
	for i := range 6_000 {
		want = append(want, fmt.Sprintf("%05d%s", i, strings.Repeat("x", r.IntN(120))))
	}
	for range 2 {
		for _, i := range r.Perm(len(want)) {
			if _, err := e.Add(event(0, want[i], ""), NoWatermark); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := 0
	err := e.Close(10, func(res *Result) error {
		if n >= len(want) || string(res.Key) != want[n] || res.Events != 2 {
			return fmt.Errorf("result %d: %s with %d events", n, res.Key, res.Events)
		}
		n++
		return nil
	})
	if err != nil || n != len(want) {
		t.Fatal(n, err)
	}
}

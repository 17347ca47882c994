package join

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// Invariant 5: state ten times as large as memory is joined all the same, and memory is below its limit after every
// Write. Without a Backing that is an error.
func TestStateAboveMemory(t *testing.T) {
	const memory, events, batch = 200_000, 20_000, 500
	for _, enrich := range []bool{false, true} {
		back := backingtest.New()
		op, err := openWith(enrich, back, memory)
		if err != nil {
			t.Fatal(err)
		}
		pairs, most := 0, int64(0)
		count := func(*Pair) error { pairs++; return nil }
		for i := range events {
			side, at := Side(i%2), int64(i/2)%10_000
			if _, err := op.Add(side, fmt.Appendf(nil, "key %d", i/2), at, sha256Of(fmt.Sprint(i)), true, make([]byte, 50), -2000, count); err != nil {
				t.Fatal(err)
			}
			if i%batch != batch-1 {
				continue
			}
			if err := apply(back, op); err != nil {
				t.Fatal(err)
			}
			most = max(most, op.Memory())
		}
		if most > memory || op.Buffered() != events {
			t.Errorf("%s: %d bytes after a Write, the limit is %d; %d events of %d", kindOf(enrich), most, memory, op.Buffered(), events)
		}
		if err := op.Close(1<<40, count); err != nil {
			t.Fatal(err)
		}
		if pairs != events/2 {
			t.Errorf("%s: %d pairs of %d", kindOf(enrich), pairs, events/2)
		}
		if enrich && op.Memory() > 2*memory {
			t.Errorf("%d bytes after everything was emitted", op.Memory())
		}
	}
}

func TestMemoryWithoutABacking(t *testing.T) {
	for _, enrich := range []bool{false, true} {
		op, err := openWith(enrich, nil, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; err == nil; i++ {
			if i > 10_000 {
				t.Fatalf("%s: %d bytes, and no error", kindOf(enrich), op.Memory())
			}
			_, err = op.Add(Side(i%2), []byte("key"), int64(i)*5000, sha256Of(fmt.Sprint(i)), true, make([]byte, 50), -2000, ignore)
		}
		if !errors.Is(err, window.ErrMemory) {
			t.Error(err)
		}
	}
}

// Ranges of the Backing are read in pieces, not as a whole (invariants 5 and 7).
func TestRangesAreReadInPieces(t *testing.T) {
	back := backingtest.New()
	op, err := NewInterval(IntervalOptions{Lower: -1000, Upper: 1000, MemoryMax: 1}, back)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * pageItems {
		if _, err := op.Add(Left, nil, int64(i), sha256Of(fmt.Sprint(i)), true, []byte(fmt.Sprint(i)), -1, ignore); err != nil {
			t.Fatal(err)
		}
	}
	if err := apply(back, op); err != nil {
		t.Fatal(err)
	}
	next := 0
	_, err = op.Add(Right, nil, 500, second, true, nil, -1, func(p *Pair) error {
		if want := fmt.Sprint(next); string(p.Left) != want {
			return fmt.Errorf("%s after %d", p.Left, next-1)
		}
		next++
		return nil
	})
	if err != nil || next != 3*pageItems {
		t.Fatalf("%d pairs, %v", next, err)
	}
	if len(op.page.items) > pageItems || back.Scans < 4 {
		t.Fatalf("%d items in a piece, %d scans", len(op.page.items), back.Scans)
	}
}

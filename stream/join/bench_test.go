package join

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
)

// nowhere takes changes and keeps none.
type nowhere struct{}

func (nowhere) Set(_, _ []byte) error         { return nil }
func (nowhere) Delete([]byte) error           { return nil }
func (nowhere) DeleteRange(_, _ []byte) error { return nil }

// stream is an endless log of both sides: an event each ms, out of order by a second, rows of 60 bytes.
type stream struct {
	r    *rand.Rand
	t    int64
	key  [8]byte
	id   [16]byte
	row  [60]byte
	keys uint64
}

func (s *stream) next(op Operator, emit func(*Pair) error) error {
	s.t++
	side, key := Side(s.r.Uint64()&1), s.r.Uint64N(s.keys)
	binary.BigEndian.PutUint64(s.key[:], key)
	binary.LittleEndian.PutUint64(s.id[:], s.r.Uint64())
	if _, err := op.Add(side, s.key[:], s.t+s.r.Int64N(1000), s.id, true, s.row[:], s.t, emit); err != nil {
		return err
	}
	if s.t%1000 == 0 {
		return op.Close(s.t, emit)
	}
	return nil
}

func measure(b *testing.B, op Operator, keys uint64) {
	s := &stream{r: rand.New(rand.NewPCG(seed, 0)), keys: keys}
	pairs := 0
	emit := func(*Pair) error { pairs++; return nil }
	b.ReportAllocs()
	for b.Loop() {
		if err := s.next(op, emit); err != nil {
			b.Fatal(err)
		}
		if s.t%10_000 == 0 {
			if err := op.Write(nowhere{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(pairs)/float64(b.N), "pairs/op")
	b.ReportMetric(float64(op.Buffered()), "buffered")
	b.ReportMetric(float64(op.Memory()), "bytes")
}

// One op is one event of either side: taken, joined, written, let go.
func BenchmarkInterval(b *testing.B) {
	for _, c := range []struct {
		name  string
		keys  uint64
		reach int64
	}{{"10s", 5_000, 10_000}, {"5m", 150_000, 300_000}, {"hot", 20, 10_000}} {
		b.Run(c.name, func(b *testing.B) {
			op, err := NewInterval(IntervalOptions{Upper: c.reach, Lateness: 1000}, nil)
			if err != nil {
				b.Fatal(err)
			}
			measure(b, op, c.keys)
		})
	}
}

func BenchmarkEnrichment(b *testing.B) {
	op, err := NewEnrichment(EnrichmentOptions{Lateness: 60_000}, nil)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, op, 50_000)
}

// Copies are found, and late events judged, without an allocation.
func TestNothingIsAllocatedForWhatIsNotTaken(t *testing.T) {
	for _, enrich := range []bool{false, true} {
		op := open(t, enrich, nil)
		if err := add(op, Left, "k", 1000, 0); err != nil {
			t.Fatal(err)
		}
		key, row := []byte("k"), []byte("row")
		for _, mark := range []int64{0, 3000} {
			allocs := testing.AllocsPerRun(100, func() {
				if v, err := op.Add(Left, key, 1000, second, true, row, mark, ignore); err != nil || v.Outcome == window.Aggregated {
					t.Fatal(v, err)
				}
			})
			if allocs != 0 {
				t.Errorf("%s: %v allocations at %d", kindOf(enrich), allocs, mark)
			}
		}
	}
}

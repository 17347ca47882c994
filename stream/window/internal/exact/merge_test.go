package exact

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// Invariants 1 and 2, law L1: however a set of values is split over sums, merging them gives the bytes of one sum of
// all, and leaves the merged ones as they were.
func TestMergeIsTheSumOfTheUnion(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 2))
			for range 80 {
				var all []float64
				var merged Sum
				w := &Wide{}
				for range r.IntN(6) {
					part := make([]float64, r.IntN(40))
					for i := range part {
						part[i] = f.draw(r)
					}
					s, sw := sumOf(part)
					before := s.Append(nil, sw)
					merged.Merge(s, w, sw)
					if after := s.Append(nil, sw); !bytes.Equal(before, after) {
						t.Fatalf("the merged sum was % x, is % x", before, after)
					}
					all = append(all, part...)
				}
				s, sw := sumOf(all)
				if got, want := merged.Append(nil, w), s.Append(nil, sw); !bytes.Equal(got, want) {
					t.Fatalf("merged % x, sum of all % x, of %v", got, want, all)
				}
			}
		})
	}
}

// The greatest totals reach the last word of a Wide, whether a Wide held them or not.
func TestMergeOfTheGreatestTotals(t *testing.T) {
	var s, all Sum
	w, aw := &Wide{}, &Wide{}
	s.Add(math.MaxFloat64, w)
	for range 20 {
		var twice Sum
		tw := &Wide{}
		twice.Merge(&s, tw, w)
		twice.Merge(&s, tw, w)
		s, w = twice, tw
	}
	s.Add(math.SmallestNonzeroFloat64, w)
	for range 1 << 20 {
		all.Add(math.MaxFloat64, aw)
	}
	all.Add(math.SmallestNonzeroFloat64, aw)
	if got, want := s.Append(nil, w), all.Append(nil, aw); !bytes.Equal(got, want) {
		t.Fatalf("% x, want % x", got, want)
	}
	if !math.IsInf(s.Float64(w), 1) {
		t.Errorf("%v", s.Float64(w))
	}
}

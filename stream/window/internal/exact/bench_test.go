package exact

import (
	"math/rand/v2"
	"testing"
)

var sink float64

// BenchmarkAdd is one addition to one of 4096 sums, by character of the values.
func BenchmarkAdd(b *testing.B) {
	for _, f := range families {
		b.Run(f.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(seed, 3))
			values := make([]float64, 4096)
			for i := range values {
				values[i] = f.draw(r)
			}
			sums := make([]Sum, 4096)
			var w Wide
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				sums[i&4095].Add(values[(i+i>>12)&4095], &w)
				i++
			}
		})
	}
}

// BenchmarkMean is reading one sum.
func BenchmarkMean(b *testing.B) {
	s, w := sumOf([]float64{1.25, 3.75, 1e9, 0.1})
	b.ReportAllocs()
	for b.Loop() {
		sink = s.Mean(3, w)
	}
}

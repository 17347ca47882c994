package aggregates

import (
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// One Add of each, to a group that has seen a thousand values.
func BenchmarkAdd(b *testing.B) {
	for _, s := range subjects {
		b.Run(s.String(), func(b *testing.B) {
			agg := made(b, s.name, s.in, s.params...)
			r := seeded(19)
			var values []schema.Value
			for len(values) < 1024 {
				if v := s.draw(r); v.Kind != schema.KindFloat || v.Float()-v.Float() == 0 {
					values = append(values, v)
				}
			}
			a := filled(b, agg, values)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := a.Add(values[i%len(values)], window.Order{Time: int64(i)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Append, Decode and Value of a group with a thousand values.
func BenchmarkState(b *testing.B) {
	for _, s := range subjects {
		agg := made(b, s.name, s.in, s.params...)
		a := filled(b, agg, draws(seeded(20), 1024, s.draw))
		dst := a.Append(nil)
		b.Run(s.String()+"/append", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = a.Append(dst[:0])
			}
		})
		b.Run(s.String()+"/decode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Decode(dst); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.String()+"/value", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := agg.Value(a, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

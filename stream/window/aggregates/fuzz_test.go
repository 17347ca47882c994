package aggregates

import (
	"bytes"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
)

// FuzzDecode: whatever Decode takes, Append writes again (invariant 2), also merged into nothing, and Value takes
// without a panic.
func FuzzDecode(f *testing.F) {
	r := seeded(18)
	for i := range subjects {
		agg := made(f, subjects[i].name, subjects[i].in, subjects[i].params...)
		f.Add(i, filled(f, agg, draws(r, 5, subjects[i].draw)).Append(nil))
		f.Add(i, []byte{1})
	}
	f.Fuzz(func(t *testing.T, i int, src []byte) {
		s := &subjects[uint(i)%uint(len(subjects))]
		agg := made(t, s.name, s.in, s.params...)
		a := agg.New()
		if err := a.Decode(src); err != nil {
			return
		}
		if again := a.Append(nil); !bytes.Equal(again, src) {
			t.Fatalf("%v: Decode takes %x, which Append writes as %x", s, src, again)
		}
		for _, b := range []window.Accumulator{a, filled(t, agg, nil)} {
			v, err := agg.Value(b, nil)
			if err == nil && v.Kind != agg.Result().Kind && !v.IsNull() {
				t.Fatalf("%v: the value of %x is %v", s, src, v)
			}
		}
		b := agg.New()
		if err := b.Merge(a); err != nil {
			t.Fatalf("%v: merge into nothing: %v", s, err)
		}
		if again := b.Append(nil); !bytes.Equal(again, src) {
			t.Fatalf("%v: %x merged into nothing is %x", s, src, again)
		}
	})
}

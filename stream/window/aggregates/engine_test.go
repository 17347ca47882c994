package aggregates

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// events is n events with an argument for each subject, and for some of them null.
func events(n int) []window.Input {
	r := seeded(21)
	out := make([]window.Input, n)
	for i := range out {
		args := make([]schema.Value, len(subjects))
		for j := range args {
			args[j] = subjects[j].draw(r)
			if r.IntN(10) == 0 {
				args[j] = schema.NullValue()
			}
		}
		out[i] = window.Input{Time: r.Int64N(50), HasID: true, Keys: [][]byte{{byte('a' + r.IntN(3))}}, Args: [][]schema.Value{args}}
		binary.BigEndian.PutUint32(out[i].ID[:], r.Uint32())
	}
	return out
}

// In the engine every aggregate comes to what its accumulator alone does, whatever the order, the copies, and the
// restarts on the way: a Write and a new engine every few events (laws L1 and L4).
func TestInTheEngine(t *testing.T) {
	out := window.Output{Name: "all", Size: 100}
	for j, s := range subjects {
		in := s.in
		in.Nullable = true
		out.Aggs = append(out.Aggs, window.Agg{Name: s.String(), Func: window.Custom, Arg: j, In: in, Custom: made(t, s.name, s.in, s.params...)})
	}
	all := events(250)
	want := map[string][]schema.Value{}
	for _, key := range []string{"a", "b", "c"} {
		for j, agg := range out.Aggs {
			a := agg.Custom.New()
			for i := range all {
				if v := all[i].Args[0][j]; string(all[i].Keys[0]) == key && !v.IsNull() {
					if err := a.Add(v, window.Order{Time: all[i].Time, ID: all[i].ID}); err != nil {
						t.Fatal(err)
					}
				}
			}
			want[key] = append(want[key], valueIn(t, agg.Custom, a))
		}
	}
	r := seeded(22)
	for _, restart := range []int{1000, 37, 5} {
		order := append(slices.Clone(all), all[:60]...)
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		back := backingtest.New()
		e := engine(t, out, back)
		for i := range order {
			if _, err := e.Add(&order[i], 0); err != nil {
				t.Fatal(err)
			}
			if i%restart == restart-1 {
				var batch backingtest.Batch
				if err := e.Write(&batch); err != nil {
					t.Fatal(err)
				}
				back.Apply(&batch)
				e = engine(t, out, back)
			}
		}
		groups := 0
		err := e.Close(100, func(res *window.Result) error {
			groups++
			for j, v := range res.Values {
				if w := want[string(res.Key)][j]; v.Kind != w.Kind || v.Num != w.Num || !bytes.Equal(v.Bytes, w.Bytes) {
					t.Errorf("restart every %d, group %s: %s is %v, want %v", restart, res.Key, out.Aggs[j].Name, v, w)
				}
			}
			return nil
		})
		if err != nil || groups != len(want) {
			t.Errorf("%d groups, %v", groups, err)
		}
	}
}

func engine(t *testing.T, out window.Output, back *backingtest.Store) *window.Engine {
	t.Helper()
	e, err := window.NewEngine([]window.Output{out}, back, window.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

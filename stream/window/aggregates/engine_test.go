package aggregates

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// store is a Backing and its Writer; changes are applied as they come, which is enough where nothing fails.
type store map[string]string

func (s store) Get(key []byte) ([]byte, bool, error) {
	v, ok := s[string(key)]
	return []byte(v), ok, nil
}

func (s store) Scan(lo, hi []byte, fn func(k, v []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if k >= string(lo) && k < string(hi) {
			if err := fn([]byte(k), []byte(s[k])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s store) Set(k, v []byte) error { s[string(k)] = string(v); return nil }

func (s store) Delete(k []byte) error { delete(s, string(k)); return nil }

func (s store) DeleteRange(lo, hi []byte) error {
	maps.DeleteFunc(s, func(k, _ string) bool { return k >= string(lo) && k < string(hi) })
	return nil
}

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
		back := store{}
		e := engine(t, out, back)
		for i := range order {
			if _, err := e.Add(&order[i], 0); err != nil {
				t.Fatal(err)
			}
			if i%restart == restart-1 {
				if err := e.Write(back); err != nil {
					t.Fatal(err)
				}
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

func engine(t *testing.T, out window.Output, back store) *window.Engine {
	t.Helper()
	e, err := window.NewEngine([]window.Output{out}, back, window.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

package state_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// workload is a task whose state is a function of its cut, as the laws ask:
// step i of a seed always writes the same, so what a store holds can be
// compared with a map that did the same steps.
type workload struct {
	seed  uint64
	steps int  // done so far
	small bool // no value is large
	tiny  bool // a step is one change: a memtable ends between batches as often as between steps

	model map[string]string
	cut   state.Cut
}

func newWorkload(seed uint64) *workload {
	return &workload{seed: seed, model: map[string]string{}, cut: firstCut()}
}

func firstCut() state.Cut {
	return state.Cut{
		Version: state.CutVersion, Pipeline: "flights", Task: 2, Fingerprint: "0a1b2c3d4e5f", Bound: state.NoBound,
		Sources: []state.Source{{
			Topic: "departures", TopicID: "dGlkZW1hcms", Partition: 2, Partitions: 4, LeaderEpoch: 7, Reached: -1 << 63,
		}},
		Counters: state.Counters{Outputs: []state.OutputCounters{{Name: "departures_hourly"}}},
	}
}

// change is one write of a step.
type change struct {
	op     byte // 's'et, 'd'elete, delete 'r'ange
	key    []byte
	second []byte // value, or the range's end
}

// step moves the workload on and returns what to write.
func (w *workload) step() []change {
	rng := rand.New(rand.NewPCG(w.seed, uint64(w.steps)))
	w.steps++
	changes := make([]change, 0, 64)
	most := 60
	if w.tiny {
		most = 1
	}
	for range 1 + rng.IntN(most) {
		changes = append(changes, someChange(rng, w.small || w.tiny))
	}
	for _, c := range changes {
		c.do(w.model)
	}
	w.advance(rng, int64(1+rng.IntN(500)))
	return changes
}

func (w *workload) advance(rng *rand.Rand, n int64) {
	src, count := &w.cut.Sources[0], &w.cut.Counters
	src.Next += n + rng.Int64N(3) // a marker now and then
	src.Reached = 1357000000000 + src.Next*1000
	src.Watermark = json.RawMessage(fmt.Sprintf(`{"base":%d}`, src.Reached+60000))
	if rng.IntN(10) == 0 {
		w.cut.Journal++
	}
	late, duplicate := rng.Int64N(n+1)/4, rng.Int64N(n+1)/4
	count.Consumed += n
	count.Late += late
	count.Duplicate += duplicate
	count.Aggregated += n - late - duplicate
	count.Outputs[0].Closed += rng.Int64N(3)
	count.Outputs[0].Open = rng.Int64N(10)
	w.cut.Bound = src.Reached + 3600000
	w.cut.LastRecordAt += n
}

const dedupIDs = 100

func someChange(rng *rand.Rand, small bool) change {
	switch k := rng.IntN(100); {
	case k < 50:
		return change{'s', windowKey(rng.Int64N(40), rng.IntN(50)), someBytes(rng, small)}
	case k < 80:
		return change{'s', dedupKey(rng.Int64N(40), rng.Uint64()%dedupIDs), nil}
	case k < 95:
		return change{'d', windowKey(rng.Int64N(40), rng.IntN(50)), nil}
	}
	bucket := rng.Int64N(40)
	return change{'r', dedupKey(bucket, 0), dedupKey(bucket+1, 0)}
}

func someBytes(rng *rand.Rand, small bool) []byte {
	n := rng.IntN(100)
	if !small && rng.IntN(50) == 0 {
		n = rng.IntN(40 << 10)
	}
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.BigEndian.AppendUint64(b, rng.Uint64())
	}
	return b[:n]
}

func windowKey(start int64, key int) []byte {
	b := append([]byte{0x10}, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(start*3600000)^1<<63)
	return fmt.Appendf(b, "%03d", key)
}

func dedupKey(bucket int64, id uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{0x20}, uint64(bucket)^1<<63)
	b = binary.BigEndian.AppendUint64(b, 0)
	return binary.BigEndian.AppendUint64(b, id)
}

func (c change) do(model map[string]string) {
	switch c.op {
	case 's':
		model[string(c.key)] = string(c.second)
	case 'd':
		delete(model, string(c.key))
	case 'r':
		for id := range uint64(dedupIDs) { // all that there can be: a scan of the map is slower
			binary.BigEndian.PutUint64(c.key[len(c.key)-8:], id)
			delete(model, string(c.key))
		}
		binary.BigEndian.PutUint64(c.key[len(c.key)-8:], 0)
	}
}

func fill(changes []change) func(state.Batch) error {
	return func(b state.Batch) error {
		for _, c := range changes {
			var err error
			switch c.op {
			case 's':
				err = b.Set(c.key, c.second)
			case 'd':
				err = b.Delete(c.key)
			case 'r':
				err = b.DeleteRange(c.key, c.second)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// apply does one step in the store too.
func (w *workload) apply(s *state.Store) error {
	changes := w.step()
	return s.Apply(&w.cut, fill(changes))
}

// at returns the workload of this seed when its cut was the given one.
func (w *workload) at(t testing.TB, cut *state.Cut) *workload {
	t.Helper()
	past := newWorkload(w.seed)
	past.small, past.tiny = w.small, w.tiny
	if cut == nil {
		return past
	}
	if cut.Sources[0].Next == w.cut.Sources[0].Next {
		return w
	}
	for past.cut.Sources[0].Next < cut.Sources[0].Next && past.steps < w.steps {
		past.step()
	}
	if past.cut.Sources[0].Next != cut.Sources[0].Next {
		t.Fatalf("seed %d never had the cut %d", w.seed, cut.Sources[0].Next)
	}
	return past
}

// verify fails the test unless the store holds exactly what this workload had
// at the store's cut: L4, the cut names the state. It returns the number of
// steps that the store has.
func (w *workload) verify(t testing.TB, s *state.Store) int {
	t.Helper()
	cut, err := s.Cut()
	if err != nil {
		t.Fatal(err)
	}
	past := w.at(t, cut)
	if cut != nil {
		if err := state.SameState(&past.cut, cut); err != nil {
			t.Fatalf("seed %d: %v", w.seed, err)
		}
	}
	if got := contents(t, s); !maps.Equal(got, past.model) {
		t.Fatalf("seed %d: at step %d of %d: the store has %d keys, the model %d; %s",
			w.seed, past.steps, w.steps, len(got), len(past.model), firstDifference(got, past.model))
	}
	return past.steps
}

func firstDifference(got, want map[string]string) string {
	keys := slices.Sorted(maps.Keys(got))
	keys = append(keys, slices.Sorted(maps.Keys(want))...)
	for _, k := range keys {
		g, okG := got[k]
		w, okW := want[k]
		if g != w || okG != okW {
			return fmt.Sprintf("key %x: %t %d bytes, want %t %d bytes", k, okG, len(g), okW, len(w))
		}
	}
	return "none"
}

func contents(t testing.TB, s *state.Store) map[string]string {
	t.Helper()
	got := map[string]string{}
	var last []byte
	err := s.Scan(nil, nil, func(k, v []byte) error {
		if bytes.Compare(k, last) <= 0 {
			t.Errorf("key %x after %x", k, last)
		}
		last = append(last[:0], k...)
		got[string(k)] = string(v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func newShared(t testing.TB, fs state.FS) *state.Shared {
	t.Helper()
	sh, err := state.NewShared(state.SharedOptions{FS: fs, CacheBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
	})
	return sh
}

func newMemShared(t testing.TB) *state.Shared { return newShared(t, statetest.NewMem()) }

// open opens a store and closes it at the end of the test, unless the test has.
func open(t testing.TB, sh *state.Shared, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(dir, sh)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s *state.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// noFaults checks the closed store in dir.
func noFaults(t testing.TB, sh *state.Shared, dir string) {
	t.Helper()
	if err := state.Check(dir, sh, func(f state.Fault) { t.Errorf("fault: %s", f) }); err != nil {
		t.Error(err)
	}
}

// clock is a fixed time.
func clock() time.Time { return time.Date(2013, 1, 10, 13, 15, 2, 0, time.UTC) }

const prefix = "checkpoints/flights/2"

func options() state.CheckpointOptions {
	return state.CheckpointOptions{Prefix: prefix, Keep: 3, Now: clock}
}

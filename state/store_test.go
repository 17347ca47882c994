package state_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/state"
)

// What package window asks of a store, in its own words: state must not
// import it.
var (
	_ interface {
		Get(key []byte) (val []byte, ok bool, err error)
		Scan(lo, hi []byte, fn func(k, v []byte) error) error
	} = (*state.Store)(nil)
	_ interface {
		Set(k, v []byte) error
		Delete(k []byte) error
		DeleteRange(lo, hi []byte) error
	} = (state.Batch)(nil)
)

// Invariant 1: state and cut are one, also after a restart.
func TestReopen(t *testing.T) {
	sh := newMemShared(t)
	w := newWorkload(1)
	for round := range 5 {
		s := open(t, sh, "task/2")
		if got := w.verify(t, s); got != w.steps {
			t.Fatalf("round %d: the store has %d of %d steps after a clean close", round, got, w.steps)
		}
		for range 20 {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		w.verify(t, s)
		closeStore(t, s)
		noFaults(t, sh, "task/2")
	}
}

func TestNewStore(t *testing.T) {
	sh := newMemShared(t)
	s := open(t, sh, "a/b/c")
	if cut, err := s.Cut(); cut != nil || err != nil {
		t.Fatalf("a new store has cut %v, error %v", cut, err)
	}
	if _, _, err := s.Checkpoint(t.Context(), nil, options()); err == nil || !strings.Contains(err.Error(), "no cut") {
		t.Errorf("checkpoint of a new store: %v", err)
	}
	closeStore(t, s)
	noFaults(t, sh, "a/b/c")
	if cut, err := open(t, sh, "a/b/c").Cut(); cut != nil || err != nil {
		t.Errorf("opened again, it has cut %v, error %v", cut, err)
	}
}

func TestGetScan(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	cut := firstCut()
	if err := s.Apply(&cut, func(b state.Batch) error {
		return errors.Join(b.Set([]byte("\x10a"), []byte("1")), b.Set([]byte("\x10b"), nil), b.Set([]byte("\x20c"), []byte("3")))
	}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"\x10a": "1", "\x10b": "", "\x20c": "3"} {
		if v, ok, err := s.Get([]byte(key)); string(v) != want || !ok || err != nil {
			t.Errorf("get %x = %q, %t, %v", key, v, ok, err)
		}
	}
	if v, ok, err := s.Get([]byte("\x10z")); len(v) != 0 || ok || err != nil {
		t.Errorf("get of an absent key = %q, %t, %v", v, ok, err)
	}
	for _, c := range []struct{ lo, hi, want string }{
		{"", "", "\x10a \x10b \x20c "}, {"\x10", "\x11", "\x10a \x10b "}, {"\x10b", "", "\x10b \x20c "}, {"\x30", "", ""},
	} {
		var got strings.Builder
		if err := s.Scan(bound(c.lo), bound(c.hi), func(k, _ []byte) error {
			got.Write(append(bytes.Clone(k), ' '))
			return nil
		}); err != nil || got.String() != c.want {
			t.Errorf("scan %x to %x = %x, %v; want %x", c.lo, c.hi, got.String(), err, c.want)
		}
	}
	stop := errors.New("stop")
	n := 0
	if err := s.Scan(nil, nil, func(_, _ []byte) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("an error of fn: %v after %d keys", err, n)
	}
}

func bound(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// An Apply that fails before it is written leaves the store as it was.
func TestApplyRefuses(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	w := newWorkload(2)
	if err := w.apply(s); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 130<<10)
	boom := errors.New("boom")
	var kept state.Batch
	for name, c := range map[string]struct {
		fill func(state.Batch) error
		want string
	}{
		"own key":       {func(b state.Batch) error { return b.Set([]byte("\x00c"), nil) }, "the store's own"},
		"own range":     {func(b state.Batch) error { return b.DeleteRange([]byte{0}, []byte{0xff}) }, "the store's own"},
		"own delete":    {func(b state.Batch) error { return b.Delete([]byte("\x00c")) }, "the store's own"},
		"empty key":     {func(b state.Batch) error { return b.Set(nil, nil) }, "empty key"},
		"long key":      {func(b state.Batch) error { return b.Set(append([]byte{0x10}, big...), nil) }, "at most"},
		"reverse range": {func(b state.Batch) error { return b.DeleteRange([]byte{0x20}, []byte{0x10}) }, "before it begins"},
		"open range":    {func(b state.Batch) error { return b.DeleteRange([]byte{0x20}, nil) }, "empty key"},
		"fill fails": {func(b state.Batch) error {
			kept = b
			return errors.Join(b.Set([]byte("\x10lost"), nil), boom)
		}, "boom"},
	} {
		t.Run(name, func(t *testing.T) {
			cut := w.cut
			cut.Sources = []state.Source{w.cut.Sources[0]}
			cut.Sources[0].Next++
			if err := s.Apply(&cut, c.fill); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			w.verify(t, s)
		})
	}
	if err := w.apply(s); err != nil {
		t.Fatalf("the store is no longer usable: %v", err)
	}
	if err := s.Apply(&w.cut, func(b state.Batch) error { kept = b; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := kept.Set([]byte("\x10late"), nil); err == nil {
		t.Error("a batch could be written after its Apply")
	}
	for name, err := range map[string]error{
		"get":  second(s.Get([]byte("\x00c"))),
		"scan": s.Scan([]byte("\x00"), nil, func(_, _ []byte) error { return nil }),
	} {
		if err == nil || !strings.Contains(err.Error(), "the store's own") {
			t.Errorf("%s of the store's own key: %v", name, err)
		}
	}
}

func second(_ []byte, _ bool, err error) error { return err }

func TestClosedStore(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	closeStore(t, s)
	cut := firstCut()
	for name, err := range map[string]error{
		"apply":      s.Apply(&cut, nil),
		"get":        second(s.Get([]byte{0x10})),
		"scan":       s.Scan(nil, nil, nil),
		"checkpoint": third(s.Checkpoint(t.Context(), nil, options())),
	} {
		if err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s of a closed store: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if n := s.SizeBytes(); n != 0 {
		t.Errorf("size of a closed store is %d", n)
	}
}

func third(_ *state.Manifest, _ state.CheckpointStats, err error) error { return err }

// One budget for all stores (elsewhere memory grows per store and partition
// until the kernel kills the process): what is applied and not flushed stays
// within it, whichever store applies.
func TestBudget(t *testing.T) {
	sh := newMemShared(t) // 2 MiB for memtables
	const n = 6
	value := bytes.Repeat([]byte("x"), 32<<10)
	stores := make([]*state.Store, n)
	cuts := make([]state.Cut, n)
	for i := range stores {
		stores[i] = open(t, sh, strings.Repeat("s", i+1))
		cuts[i] = firstCut()
	}
	for round := range 200 {
		i := round % n
		if round%4 == 0 {
			i = 0
		}
		cuts[i].Sources[0].Next++
		if err := stores[i].Apply(&cuts[i], func(b state.Batch) error {
			return b.Set(windowKey(int64(round), i), value)
		}); err != nil {
			t.Fatal(err)
		}
		if got, most := sh.UnflushedBytes(), int64(2*2<<20+64<<10); got > most {
			t.Fatalf("round %d: %d bytes are not flushed, the limit is %d", round, got, most)
		}
	}
}

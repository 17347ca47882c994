package join

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// second is the identity of all events here, so that state keys can be written down.
var second = [16]byte{15: 2}

const (
	id0   = "00000000000000000000000000000002"
	time0 = "8000000000000000"
	time1 = "80000000000003e8"
)

// stored is a state with an event of either side at 0 and at 1,000 ms, of the key "k".
func stored(t *testing.T, enrich bool) *backingtest.Store {
	t.Helper()
	back := backingtest.New()
	op := open(t, enrich, back)
	for _, at := range []int64{0, 1000} {
		for _, side := range []Side{Left, Right} {
			if _, err := op.Add(side, []byte("k"), at, second, true, []byte("row"), window.NoWatermark, ignore); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := op.Close(1000, ignore); err != nil {
		t.Fatal(err)
	}
	if err := apply(back, op); err != nil {
		t.Fatal(err)
	}
	return back
}

func ignore(*Pair) error { return nil }

func open(t *testing.T, enrich bool, back window.Backing) Operator {
	t.Helper()
	op, err := openWith(enrich, back, 0)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// openWith opens the joins of these tests: five seconds around, two seconds of lateness.
func openWith(enrich bool, back window.Backing, memory int64) (Operator, error) {
	if enrich {
		return NewEnrichment(EnrichmentOptions{Lateness: 2000, MemoryMax: memory}, back)
	}
	return NewInterval(IntervalOptions{Lower: -1000, Upper: 1000, Lateness: 2000, MemoryMax: memory}, back)
}

// readAll makes an operator read everything that it would ever read.
func readAll(enrich bool, back *backingtest.Store, memory int64) error {
	op, err := openWith(enrich, back, memory)
	if err != nil {
		return err
	}
	for _, at := range []int64{0, 800, 1000, 1500} {
		for _, side := range []Side{Left, Right} {
			if _, err := op.Add(side, []byte("k"), at, second, true, []byte("row"), 1000, ignore); err != nil {
				return err
			}
		}
	}
	if _, _, err := op.Bound(window.TimeMax); err != nil {
		return err
	}
	if err := apply(back, op); err != nil {
		return err
	}
	return op.Close(1<<40, ignore)
}

// Stored bytes that no Write has written are a *window.CorruptError that names the key, whenever they are read:
// with memory enough for whole buckets, or without.
func TestCorruptState(t *testing.T) {
	for _, c := range []struct {
		enrich         bool
		what, key, val string
		memory         int64 // 0: buckets are loaded, 1: they are read in place
	}{
		{what: "no meta", key: "3f", val: "-"},
		{what: "meta too short", key: "3f", val: "01"},
		{what: "header key", key: "3100" + time0 + "00", val: "010101"},
		{what: "header of no bucket", key: "3100" + "8000000000000001", val: "010101"},
		{what: "header beyond time", key: "3100" + "7fff000000000000", val: "010101"},
		{what: "header of a bucket that has gone", key: "3100" + "7fffffffffff0218", val: "010101"},
		{what: "header of no side", key: "3102" + time0, val: "010101"},
		{what: "state of an enrichment", key: "33" + time0, val: "010101"},
		{enrich: true, what: "state of an interval join", key: "3100" + time0, val: "010101"},
		{what: "header version", key: "3100" + time0, val: "020204"},
		{what: "header without a count", key: "3100" + time0, val: "01"},
		{what: "header without bytes", key: "3100" + time0, val: "0101"},
		{what: "header of nothing", key: "3100" + time0, val: "010000"},
		{what: "header with more", key: "3100" + time0, val: "01010800"},
		{what: "header of too many", key: "3100" + time0, val: "010208"},
		{what: "header of too much", key: "3100" + time0, val: "010105"},
		{what: "event's key too long", key: "3000" + time0 + "016b" + time0 + id0 + "00", val: "01"},
		{what: "event's key cut off", key: "3000" + time0 + "016b" + time0, val: "01"},
		{what: "event's key without a length", key: "3000" + time0 + "81", val: "01"},
		{what: "event's key with a long length", key: "3000" + time0 + "8100" + "6b" + time0 + id0, val: "01"},
		{what: "event's key of too many bytes", key: "3000" + time0 + "818004", val: "01"},
		{what: "event of another bucket", key: "3000" + time0 + "016b" + time1 + id0, val: "01"},
		{what: "row version", key: "3000" + time0 + "016b" + time0 + id0, val: "02"},
		{what: "row without bytes", key: "3000" + time0 + "016b" + time0 + id0, val: ""},
		{what: "row version, in place", key: "3000" + time0 + "016b" + time0 + id0, val: "02", memory: 1},
		{what: "event's key, in place", key: "3000" + time0 + "016b" + time0 + id0 + "00", val: "01", memory: 1},

		{enrich: true, what: "meta without versions", key: "3f", val: "meta"},
		{enrich: true, what: "meta of fewer versions", key: "3f", val: "meta01"},
		{enrich: true, what: "meta with more", key: "3f", val: "meta0200"},
		{enrich: true, what: "header of no bucket", key: "338000000000000001", val: "010101"},
		{enrich: true, what: "header of a bucket that has gone", key: "337ffffffffffff830", val: "010101"},
		{enrich: true, what: "header of too many", key: "33" + time0, val: "010204"},
		{enrich: true, what: "header of too many, in place", key: "33" + time0, val: "010204", memory: 1},
		{enrich: true, what: "header of too few, in place", key: "32" + time0 + "01" + id0[2:] + "6b", val: "01", memory: 1},
		{enrich: true, what: "header of too much, in place", key: "32" + time0 + id0 + "6b", val: "01", memory: 1},
		{enrich: true, what: "held event's key", key: "32" + time0 + "00", val: "01"},
		{enrich: true, what: "held event's row", key: "32" + time0 + id0 + "6b", val: "", memory: 1},
		{enrich: true, what: "unsettled version's key", key: "35" + time0 + "00", val: "01"},
		{enrich: true, what: "unsettled version without a row", key: "35" + time0 + id0 + "6b", val: ""},
		{enrich: true, what: "unsettled versions miscounted", key: "36" + time0, val: "010202", memory: 1},
		{enrich: true, what: "version's key", key: "34016b" + time0, val: "01"},
		{enrich: true, what: "version's time", key: "34016b" + "ffffffffffffffff" + id0, val: "01"},
		{enrich: true, what: "version's row", key: "34016b" + time0 + id0, val: "02"},
		{enrich: true, what: "version without bytes", key: "34016b" + time0 + id0, val: ""},
		{enrich: true, what: "version that isn't unsettled", key: "34016b" + "80000000000005dc" + id0, val: "01"},
	} {
		back := stored(t, c.enrich)
		if key, err := hex.DecodeString(c.key); err != nil {
			t.Fatal(err)
		} else if c.val == "-" {
			back.Remove(string(key))
		} else {
			meta := hex.EncodeToString([]byte(back.Value("\x3f"))[:metaLen])
			val, err := hex.DecodeString(strings.Replace(c.val, "meta", meta, 1))
			if err != nil {
				t.Fatal(err)
			}
			back.Put(string(key), string(val))
		}
		err := readAll(c.enrich, back, c.memory)
		var corrupt *window.CorruptError
		if !errors.As(err, &corrupt) || len(corrupt.Key) == 0 {
			t.Errorf("%s: %s: %v", kindOf(c.enrich), c.what, err)
		}
	}
	for _, enrich := range []bool{false, true} { // without damage all is well
		for _, memory := range []int64{0, 1} {
			if err := readAll(enrich, stored(t, enrich), memory); err != nil {
				t.Error(err)
			}
		}
	}
}

// Damage of any byte is an error or isn't noticed, but never a panic.
func TestDamageNeverPanics(t *testing.T) {
	r := rand.New(rand.NewPCG(seed, 0))
	noticed := 0
	for i := range 4000 {
		enrich := i%2 == 0
		back := stored(t, enrich)
		keys := back.Keys()
		key := keys[r.IntN(len(keys))]
		damaged, val := []byte(key), []byte(back.Value(key))
		if at := r.IntN(len(damaged) + len(val)); at < len(damaged) {
			damaged[at] ^= 1 << r.IntN(8)
			back.Remove(key)
		} else {
			val[at-len(damaged)] ^= 1 << r.IntN(8)
		}
		back.Put(string(damaged), string(val))
		if readAll(enrich, back, int64(r.IntN(2))) != nil {
			noticed++
		}
	}
	if noticed < 2000 {
		t.Errorf("%d of 4000 damages were noticed", noticed)
	}
}

// State of another version, of another join or of other options isn't corrupt: it is another state.
func TestStateOfOthers(t *testing.T) {
	back := stored(t, false)
	if _, err := openWith(true, back, 0); !errors.Is(err, window.ErrOtherLayout) {
		t.Error(err)
	}
	if _, err := NewInterval(IntervalOptions{Lower: -1000, Upper: 1000, Lateness: 2001}, back); !errors.Is(err, window.ErrOtherLayout) {
		t.Error(err)
	}
	back.Put("\x3f", "\x02")
	if _, err := openWith(false, back, 0); err == nil || !strings.Contains(err.Error(), "version 02") {
		t.Error(err)
	}
}

// No bytes panic, and what is read is what would have been written.
func FuzzEvent(f *testing.F) {
	ev := event{t: 1000, id: second, key: []byte("k"), row: []byte("row")}
	f.Add(byKey.appendEventKey(nil, []byte{prefixEvent, 0}, 0, &ev), []byte("\x01row"))
	f.Add(byTime.appendEventKey(nil, []byte{prefixEvent, 0}, 0, &ev), []byte("\x01row"))
	f.Add([]byte("\x34\x01k\x80\x00\x00\x00\x00\x00\x00\x000123456789abcdef"), []byte{})
	f.Fuzz(func(t *testing.T, k, v []byte) {
		for _, o := range []order{byKey, byTime} {
			var ev event
			if err := o.parseEvent(k, v, 2, &ev); err != nil {
				continue
			}
			if got := o.appendEventKey(nil, k[:2], timeAt(k[2:]), &ev); !bytes.Equal(got, k) {
				t.Fatalf("% x is read and written as % x", k, got)
			}
		}
		var ev event
		if err := parseVersion(k, v, &ev); err == nil {
			s := &series{key: string(ev.key)}
			got := s.appendStateKey(nil, &version{t: ev.t, id: ev.id})
			if !bytes.Equal(got[1:], k[1:]) {
				t.Fatalf("% x is read and written as % x", k, got)
			}
		}
		if c, err := readCount(v); err == nil && !bytes.Equal(c.append(nil), v) {
			t.Fatalf("% x is read and written as % x", v, c.append(nil))
		}
	})
}

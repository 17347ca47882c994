package window

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// Stored bytes that no Write has written are a *CorruptError that names the key, whenever they are read.
func TestCorruptState(t *testing.T) {
	const window, start = "1000008000000000000000", "8000000000000000"
	for _, c := range []struct{ what, key, val string }{
		{"no meta", "12", "-"},
		{"meta too short", "12", "01"},
		{"header of no output", "110001" + start, "0101"},
		{"header of no window", "1100008000000000000001", "0101"},
		{"header beyond time", "1100007fff000000000000", "0101"},
		{"header of a closed window", "1100007ffffffffffffff6", "0101"},
		{"header key", "1100", "0101"},
		{"header version", "110000" + start, "0201"},
		{"header without a count", "110000" + start, "01"},
		{"header of no groups", "110000" + start, "0100"},
		{"header with more", "110000" + start, "010100"},
		{"header of too many", "110000" + start, "0102"},
		{"header of too few", window + "62", "01010001"},
		{"record key", "1000008000000000000000", "-"},
		{"record version", window + "61", "02010001"},
		{"record without bytes", window + "61", ""},
		{"record cut off", window + "61", "0101"},
		{"record without events", window + "61", "01000000"},
		{"record with more", window + "61", "0101000000"},
		{"record number", window + "61", "0181000000"},
		{"record sum", window + "61", "010100020001"},
		{"identities expired", "217ffffffffffffff6", "0101"},
		{"identities header key", "21", "0101"},
		{"identities header", "21800000000000000a", "0102"},
		{"identities header version", "21800000000000000a", ""},
		{"identity key", "20800000000000000a00", ""},
		{"identity outputs", "20800000000000000a" + hex.EncodeToString([]byte("first\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")), "02"},
		{"identity outputs empty", "20800000000000000a" + hex.EncodeToString([]byte("first\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")), "0000"},
	} {
		back := backingtest.New()
		e := engine(t, sums(), back, 0)
		if err := e.Close(0, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Add(event(0, "a", "first", schema.IntValue(1)), 0); err != nil {
			t.Fatal(err)
		}
		if err := apply(back, e); err != nil {
			t.Fatal(err)
		}
		damage(t, back, c.key, c.val)
		err := readAll(back)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || len(corrupt.Key) == 0 {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func damage(t *testing.T, back *backingtest.Store, key, val string) {
	t.Helper()
	k, err := hex.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	var batch backingtest.Batch
	if val == "-" {
		err = batch.DeleteRange(k, append(k, 0xff))
	} else {
		v, bad := hex.DecodeString(val)
		err = errors.Join(bad, batch.Set(k, v))
	}
	if err != nil {
		t.Fatal(err)
	}
	back.Apply(&batch)
}

// readAll makes an engine read everything that it would ever read.
func readAll(back Backing) error {
	e, err := NewEngine(sums(), back, EngineOptions{})
	if err != nil {
		return err
	}
	if _, err := e.Add(event(0, "a", "first", schema.IntValue(1)), 0); err != nil {
		return err
	}
	if _, err := e.Add(event(0, "a", "second", schema.IntValue(1)), 0); err != nil {
		return err
	}
	return e.Close(10, func(*Result) error { return nil })
}

// State of another version, or of other outputs, isn't corrupt: it is another state.
func TestStateOfOthers(t *testing.T) {
	back := backingtest.New()
	if err := apply(back, engine(t, sums(), back, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(counts(), back, EngineOptions{}); !errors.Is(err, ErrOtherLayout) {
		t.Fatal(err)
	}
	larger := sums()
	larger[0].Size++
	if _, err := NewEngine(larger, back, EngineOptions{}); !errors.Is(err, ErrOtherLayout) {
		t.Fatal(err)
	}
	damage(t, back, "12", "020000")
	if _, err := NewEngine(sums(), back, EngineOptions{}); err == nil || !strings.Contains(err.Error(), "version 02") {
		t.Fatal(err)
	}
}

// No bytes panic, and what is read is what would have been written.
func FuzzRecord(f *testing.F) {
	o := Output{Name: "o", Size: 1, Aggs: allAggs()}
	l, err := layoutOf(&o)
	if err != nil {
		f.Fatal(err)
	}
	rec := make([]uint64, l.stride)
	rec[recEvents] = 2
	f.Add(l.appendRecord(nil, rec, &beside{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, aside := make([]uint64, l.stride), &beside{}
		if err := l.decodeRecord(b, rec, aside); err != nil {
			return
		}
		if got := l.appendRecord(nil, rec, aside); !bytes.Equal(got, b) {
			t.Fatalf("% x is read and written as % x", b, got)
		}
		if err := l.read(rec, aside, make([]schema.Value, len(o.Aggs))); err != nil {
			t.Fatal(err)
		}
	})
}

package window

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

const corruptStart = int64(1_000_000)

// storedSessions is a Backing with three sessions of two groups: a from 1000010 to 1000012 and at 1000030, b at
// 1000050; they end 10 behind, in the span from 1000000 to 1001000, and close 5 later.
func storedSessions(t *testing.T) ([]Output, *backingtest.Store) {
	t.Helper()
	outputs := []Output{{Name: "s", Size: 1_000, Gap: 10, Lateness: 5, Aggs: []Agg{{Name: "n", Func: Count, Arg: -1}}}}
	back := backingtest.New()
	e := engine(t, outputs, back, 0)
	for _, ev := range []struct {
		at  int64
		key string
	}{{10, "a"}, {12, "a"}, {30, "a"}, {50, "b"}} {
		if _, err := e.Add(event(corruptStart+ev.at, ev.key, ""), NoWatermark); err != nil {
			t.Fatal(err)
		}
	}
	if err := apply(back, e); err != nil {
		t.Fatal(err)
	}
	return outputs, back
}

func sessionKey(prefix byte, at int64, key string, first int64) string {
	return string(appendSessionKey(nil, prefix, 0, at, []byte(key), corruptStart+first))
}

func spanValue(open, last int64) string {
	return string(appendSpanHeader(nil, spanHeader{open: open, last: corruptStart + last}))
}

// Stored bytes that no Write has written are a *CorruptError that names the key, when they are read.
func TestCorruptSessions(t *testing.T) {
	record := func(key string, first int64) string { return sessionKey(prefixSession, corruptStart, key, first) }
	index := func(closes int64, key string, first int64) string {
		return sessionKey(prefixSessionDue, corruptStart+closes, key, first)
	}
	header := string(appendWindowKey(nil, prefixSessionSpan, 0, corruptStart))
	const restart, add, closing, writing = "restart", "add", "close", "write"
	for _, c := range []struct {
		name, at string // at: the step that finds it
		key, val string // what is set; no val: deleted
		says     string
	}{
		{"header of another version", restart, header, "\x02" + spanValue(3, 50)[1:], "version 02"},
		{"header without sessions", restart, header, spanValue(0, 50), "count of 0"},
		{"header cut short", restart, header, spanValue(3, 50)[:5], "8 bytes"},
		{"header with more bytes", restart, header, spanValue(3, 50) + "x", "8 bytes"},
		{"header of another span", restart, header, spanValue(3, 5_000), "in the span at 1005000"},
		{"header at no span", restart, header[:10] + "\x07", spanValue(3, 50), "in the span"},
		{"key of a header", restart, header + "x", spanValue(3, 50), "a key of"},
		{"header beyond the years", restart, header, string(appendSpanHeader(nil, spanHeader{open: 3, last: math.MaxInt64})), "last event"},
		{"record of another version", add, record("a", 10), "\x02\x02\x01\x02\x00", "version 1"},
		{"record cut short", add, record("a", 10), "\x01\x02\x01\x02", "end inside"},
		{"empty record", add, record("a", 10), "", "version 1"},
		{"record beyond its span", add, record("a", 10), "\x01\xff\x07\x01\x02\x00", "in the span"},
		{"record with more bytes", add, record("a", 10), "\x01\x02\x01\x02\x00\x00", "too many"},
		{"record without events", add, record("a", 10), "\x01\x02\x01\x00\x00", "without events"},
		{"sessions that should be one", add, record("a", 10), "\x01\x0b\x01\x02\x00", "less than the gap"},
		{"more sessions than in the header", add, header, spanValue(1, 50), "header has"},
		{"record that isn't there", closing, record("b", 50), "", "version 1"},
		{"no record", closing, record("b", 50), "delete", "isn't there"},
		{"another end than in the index", closing, record("b", 50), "\x01\x02\x01\x01\x00", "the index has"},
		{"session that isn't in the index", closing, index(65, "b", 50), "delete", "1 sessions more"},
		{"fewer sessions than in the header", closing, header, spanValue(4, 50), "1 sessions more"},
		{"more than in the header", closing, header, spanValue(2, 50), "header has"},
		{"no header", closing, index(2_065, "c", 2_050), "\x00", "no header"},
		{"fewer in the header than in the index", writing, header, spanValue(2, 50), "the index has -1 sessions"},
		{"key in the index", closing, index(65, "b", 50)[:14], "\x00", "a key of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			outputs, back := storedSessions(t)
			if back.Put(c.key, c.val); c.val == "delete" {
				back.Remove(c.key)
			}
			e, err := NewEngine(outputs, back, EngineOptions{})
			step := restart
			if err == nil && c.at != closing {
				step = add
				_, err = e.Add(event(corruptStart+11, "a", ""), NoWatermark)
			}
			if err == nil {
				step = closing
				err = e.Close(corruptStart+3_000, func(*Result) error { return nil })
			}
			if err == nil {
				step = writing
				err = e.Write(&backingtest.Batch{})
			}
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.says) || len(corrupt.Key) == 0 {
				t.Fatalf("%v, want a CorruptError that says %q", err, c.says)
			}
			if step != c.at {
				t.Fatalf("found by %s, want %s: %v", step, c.at, err)
			}
		})
	}
}

// A Backing that fails is an error of whatever asks it; and of all that comes after, also when the question had no
// place for an error.
func TestSessionsOfABackingThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, do := range map[string]func(e *Engine) error{
		"add":   func(e *Engine) error { _, err := e.Add(event(corruptStart+11, "a", ""), NoWatermark); return err },
		"close": func(e *Engine) error { return e.Close(corruptStart+100, func(*Result) error { return nil }) },
		"bound": func(e *Engine) error {
			if at, ok := e.Bound(corruptStart + 45); ok {
				t.Errorf("bound %d", at)
			}
			return e.Write(&backingtest.Batch{})
		},
		"open": func(e *Engine) error {
			e.EachOpen(func(OpenWindow) bool { return true })
			_, err := e.Add(event(corruptStart+11, "z", ""), NoWatermark)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			outputs, back := storedSessions(t)
			e := engine(t, outputs, back, 0)
			back.Fail = broken
			if err := do(e); !errors.Is(err, broken) {
				t.Fatal(err)
			}
			back.Fail = nil
			if err := e.Close(corruptStart+100, func(*Result) error { return nil }); !errors.Is(err, broken) {
				t.Fatalf("afterwards: %v", err)
			}
		})
	}
}

// What has closed is deleted by what the Backing's index says; if that can't be read, Write fails.
func TestWriteOfSessionsOfABackingThatFails(t *testing.T) {
	outputs, back := storedSessions(t)
	e := engine(t, outputs, back, 0)
	if err := e.Close(corruptStart+40, func(*Result) error { return nil }); err != nil {
		t.Fatal(err)
	}
	back.Fail = errors.New("the disk is gone")
	if err := e.Write(&backingtest.Batch{}); !errors.Is(err, back.Fail) {
		t.Fatal(err)
	}
}

package lake_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// TestHugeRecord: 10 MB, valid and quarantined, far beyond the budget, between
// small ones.
func TestHugeRecord(t *testing.T) {
	huge := make([]byte, 10<<20)
	rand.NewChaCha8([32]byte{}).Read(huge)
	events := []event{
		reading(0, 0, hour7, "before"),
		reading(0, 1, hour7, string(huge)),
		reading(0, 2, hour7, "between"),
		invalid(0, 3, huge, "truncated"),
		reading(0, 4, hour7+1, "after"),
	}
	b := blob.NewMemory()
	budget := lake.NewBudget(1 << 20)
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{Budget: budget})
	for i := range events {
		if err := l.Append(&events[i].record, events[i].landing); errors.Is(err, lake.ErrFull) {
			land(t, l)
			appendAll(t, l, events[i])
		} else if err != nil {
			t.Fatal(err)
		}
		if used := budget.Used(); used > 1<<20+21<<20 {
			t.Errorf("%d bytes are charged", used)
		}
	}
	land(t, l)
	found, _ := readAll(t, b, 0)
	wantEvents(t, found, events)
}

// TestManyHours: a backfill over a year has thousands of files open at once,
// under a limit, and one entry names no more than that.
func TestManyHours(t *testing.T) {
	const hours = 9000
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	var events []event
	for i := range int64(hours) {
		e := reading(0, i, hour7+(i*7919%hours)*hourMs, fmt.Sprint(i))
		events = append(events, e)
		if err := l.Append(&e.record, e.landing); errors.Is(err, lake.ErrFull) {
			if !l.Due() {
				t.Fatal("full, and not due")
			}
			land(t, l)
			appendAll(t, l, e)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	land(t, l)
	found, log := readAll(t, b, 0)
	wantEvents(t, found, events)
	for _, e := range log.Entries() {
		if len(e.Files) > 4096 {
			t.Errorf("an entry names %d files", len(e.Files))
		}
	}
}

// TestHostileTimes: event times at the ends of what is valid, before the
// epoch, and one record stamped far ahead: each in its own hour's file.
func TestHostileTimes(t *testing.T) {
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	var events []event
	for i, at := range []int64{-62135596800000, -1, 0, 1, -3600000, -3600001, 253402300799999, 4070908800000, hour7} {
		events = append(events, reading(0, int64(i), at, "x"))
	}
	appendAll(t, l, events...)
	land(t, l)
	found, log := readAll(t, b, 0)
	wantEvents(t, found, events)
	for _, f := range log.Entries()[0].Files {
		start, err := lake.ParseHour(f.Hour)
		if err != nil || f.MinTime < start || f.MaxTime >= start+hourMs {
			t.Errorf("%s: times %d to %d (%v)", f.Path, f.MinTime, f.MaxTime, err)
		}
	}
	checkClean(t, b)
}

func TestAppendRefuses(t *testing.T) {
	l := openLander(t, openTopic(t, blob.NewMemory()), 0, lake.LanderOptions{})
	for name, c := range map[string]struct {
		change func(*event)
		hint   string
	}{
		"time before year 1":       {func(e *event) { e.landing.Time = -62135596800001 }, "years 1 to 9999"},
		"time after year 9999":     {func(e *event) { e.landing.Time = 253402300800000 }, "years 1 to 9999"},
		"schema not declared":      {func(e *event) { e.landing.SchemaID = 7 }, "schema 7 is not declared"},
		"another partition":        {func(e *event) { e.record.Partition = 3 }, "partition 0"},
		"reason too long":          {func(e *event) { e.landing.Invalid = strings.Repeat("x", 300) }, "slug"},
		"reason not UTF-8":         {func(e *event) { e.landing.Invalid = "\xff" }, "slug"},
		"offset without successor": {func(e *event) { e.record.Offset = math.MaxInt64 }, "successor"},
	} {
		e := reading(0, 5, hour7, "x")
		c.change(&e)
		err := l.Append(&e.record, e.landing)
		if err == nil || !strings.Contains(err.Error(), c.hint) || !strings.Contains(err.Error(), "readings/") {
			t.Errorf("%s: %v, want a hint at %q and the place", name, err, c.hint)
		}
	}
	if l.Next() != 0 || l.Buffered() != 0 {
		t.Errorf("a refused record was taken: next %d, %d bytes", l.Next(), l.Buffered())
	}
	l.Close()
	e := reading(0, 5, hour7, "x")
	if err := l.Append(&e.record, e.landing); err == nil {
		t.Error("appended to a closed lander")
	}
}

// TestNullsAreKept: null and empty keys, headers' values and payloads differ.
func TestNullsAreKept(t *testing.T) {
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	events := []event{invalid(0, 0, nil, "null_value"), invalid(0, 1, []byte{}, "truncated"), reading(0, 2, hour7, ""), reading(0, 3, hour7, "")}
	events[1].record.Key = []byte{}
	events[2].record.Key = nil
	events[3].record.Timestamp = math.MaxInt64
	events[3].record.Headers = []lake.Header{{Key: "", Value: nil}, {Key: "", Value: []byte{}}, {Key: strings.Repeat("k", 1000), Value: bytes.Repeat([]byte{1}, 70_000)}}
	appendAll(t, l, events...)
	land(t, l)
	found, _ := readAll(t, b, 0)
	wantEvents(t, found, events)
}

func TestHour(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "dt=1970-01-01/hr=00", -1: "dt=1969-12-31/hr=23", hour7: "dt=2013-01-05/hr=07", hour7 + hourMs - 1: "dt=2013-01-05/hr=07",
		-62135596800000: "dt=0001-01-01/hr=00", 253402300799999: "dt=9999-12-31/hr=23",
	} {
		if got := lake.Hour(ms); got != want {
			t.Errorf("Hour(%d) = %s, want %s", ms, got, want)
		}
		start, err := lake.ParseHour(want)
		if err != nil || start > ms || ms-start >= hourMs {
			t.Errorf("ParseHour(%s) = %d, %v", want, start, err)
		}
	}
	for _, text := range []string{"", "dt=2013-01-05", "dt=2013-02-30/hr=07", "dt=2013-01-05/hr=24", "dt=2013-01-05/hr=7", "dt=13-01-05/hr=07"} {
		if _, err := lake.ParseHour(text); err == nil {
			t.Errorf("ParseHour(%q): no error", text)
		}
	}
}

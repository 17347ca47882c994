package curve

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/flights"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// month is the demo's pipeline, and its log over four partitions, copies included.
func month(t *testing.T) (*pipeline.Plan, [4][][]byte) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string][]byte{"flights.avsc": flights.Schema, "flights.yaml": flights.Pipeline} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.Load(filepath.Join(dir, "flights.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	departures, _, err := flights.January()
	if err != nil {
		t.Fatal(err)
	}
	sent := flights.Replay(departures)
	var lines bytes.Buffer
	if err := flights.WriteLines(&lines, sent); err != nil {
		t.Fatal(err)
	}
	edge, err := plan.Sources[0].Source.Edge()
	if err != nil {
		t.Fatal(err)
	}
	var logs [4][][]byte
	for i, line := range bytes.Split(bytes.TrimSpace(lines.Bytes()), []byte("\n")) {
		value, err := edge.AppendJSON(nil, line)
		if err != nil {
			t.Fatal(err)
		}
		at := curated.Partition([]byte(sent[i].Origin), 4)
		logs[at] = append(logs[at], value)
	}
	return plan, logs
}

// table are the bounds by which the demo's were chosen; what they must give was computed by an independent model
// (cmd/internal/flights).
var table = []struct {
	outOfOrderness, lateness time.Duration
	late                     int64
	windows, hours           int
}{
	{10 * time.Minute, 0, 2588, 993, 465},
	{15 * time.Minute, 30 * time.Minute, 1248, 675, 391},
	{30 * time.Minute, 30 * time.Minute, 952, 542, 331},
	{30 * time.Minute, time.Hour, 493, 349, 242},
	{30 * time.Minute, 2 * time.Hour, 170, 147, 122},
	{time.Hour, 3 * time.Hour, 40, 38, 37},
}

func measured(t *testing.T, plan *pipeline.Plan, logs [4][][]byte, order []int32, since int64) *Curve {
	t.Helper()
	settings := []Setting{Own}
	for _, row := range table {
		settings = append(settings, Setting{row.outOfOrderness, row.lateness})
	}
	c := New(plan, settings, since)
	for _, number := range order {
		p := c.Partition(0, number)
		for offset, value := range logs[number] {
			if err := p.Record(int64(offset), value); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// The table of the demo's month, exactly, in one pass, and in whatever order the partitions are read (invariants 1 and 3).
func TestTheMonthsCurve(t *testing.T) {
	plan, logs := month(t)
	for _, order := range [][]int32{{0, 1, 2, 3}, {3, 1, 0, 2}} {
		c := measured(t, plan, logs, order, math.MinInt64)
		points := c.Points()
		if c.Events != 26_483 || c.Copies != flights.Copies || c.Windows != 1642 || c.Invalid != 0 || c.Filtered != 0 {
			t.Errorf("%d events, %d copies, %d windows, %d invalid, %d filtered", c.Events, c.Copies, c.Windows, c.Invalid, c.Filtered)
		}
		for i, want := range table {
			p := points[i+1]
			if p.Late != want.late || p.Windows != want.windows || p.Hours != want.hours {
				t.Errorf("%s/%s: late %d, windows %d, hours %d; want %d, %d, %d", want.outOfOrderness, want.lateness,
					p.Late, p.Windows, p.Hours, want.late, want.windows, want.hours)
			}
		}
		own := points[0]
		if own.Late != 952 || own.Windows != 542 || own.Hours != 331 {
			t.Errorf("as it is: %+v", own)
		}
	}
}

// The suggestion is the first candidate below the share; its count is what the stream would count.
func TestSuggestion(t *testing.T) {
	plan, logs := month(t)
	c := measured(t, plan, logs, []int32{0, 1, 2, 3}, math.MinInt64)
	at, ok := c.Suggest(0.01)
	if !ok || Candidates[at] != 2*time.Hour || c.LateWith(at) != 170 {
		t.Errorf("suggests %v (%v), leaving %d; want 2h, leaving 170", Candidates[at], ok, c.LateWith(at))
	}
	for i, want := range map[int]int64{7: 952, 9: 493} {
		if got := c.LateWith(i); got != want {
			t.Errorf("%s leaves %d, want %d", Candidates[i], got, want)
		}
	}
	if _, ok := c.Suggest(0); ok {
		t.Error("something is less than nothing")
	}
}

// Events before since count for nothing, but move the watermark.
func TestSince(t *testing.T) {
	plan, logs := month(t)
	since := time.Date(2013, 1, 31, 0, 0, 0, 0, time.UTC)
	all := measured(t, plan, logs, []int32{0, 1, 2, 3}, math.MinInt64)
	day := measured(t, plan, logs, []int32{0, 1, 2, 3}, since.UnixMilli())
	if day.First < since.UnixMilli() || day.Events == 0 || day.Events*10 > all.Events {
		t.Errorf("%s", fmt.Sprint(day.Events, " events from ", time.UnixMilli(day.First).UTC()))
	}
	before := measured(t, plan, logs, []int32{0, 1, 2, 3}, since.UnixMilli()-1)
	if before.Points()[0].Late < day.Points()[0].Late {
		t.Error("fewer late events in more time")
	}
}

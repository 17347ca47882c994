package streamtest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/flow"
)

// newTestDriver has an hourly count and sum by k, of one partition.
func newTestDriver(t *testing.T) (*Driver, func(id string, minute float64, n int64) []byte) {
	t.Helper()
	b := newByHand(1, metaOutput{name: "hourly", group: groupBy("k"), size: msHour, lateness: 10 * msMinute, updates: true})
	c, err := compile(b.p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDriver(c.plan, 1)
	if err != nil {
		t.Fatal(err)
	}
	return d, func(id string, minute float64, n int64) []byte {
		return b.start().send(0, 0, id, "a", 60*minute, n).l.values[0][0][0]
	}
}

// rowsText is rows as a table.
func rowsText(rows []Row) string {
	var b bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&b, "%s [%d, %d) open %v: %d of %d\n", r.Output, r.Start/msMinute, r.End/msMinute, r.Open, r.Values[1].Int(), r.Events)
	}
	return b.String()
}

// TestDriver: what is fed is published when its window closes; what is late is told, and is in the batch (laws L2, L3).
func TestDriver(t *testing.T) {
	d, event := newTestDriver(t)
	for _, step := range []struct {
		id     string
		minute float64
		n      int64
		want   flow.Outcome
	}{
		{"a", 5, 1, flow.Aggregated}, {"b", 50, 2, flow.Aggregated}, {"a", 5, 1, flow.Duplicate},
		{"c", 75, 10, flow.Aggregated}, {"d", 55, 4, flow.Late},
	} {
		got, err := d.Feed(0, 0, event(step.id, step.minute, step.n))
		if err != nil || got != step.want {
			t.Errorf("event %s is %v, want %v: %v", step.id, got, step.want, err)
		}
	}
	if err := d.Update(0, true); err != nil {
		t.Fatal(err)
	}
	if err := d.End(); err != nil {
		t.Fatal(err)
	}
	if got, want := rowsText(d.Rows()), "hourly [0, 60) open false: 3 of 2\nhourly [60, 120) open true: 10 of 1\nhourly [60, 120) open false: 10 of 1\n"; got != want {
		t.Errorf("rows\n%swant\n%s", got, want)
	}
	if r := d.Reports(); len(r) != 1 || r[0].Kind != flow.ReportLate || r[0].Place.Offset != 4 {
		t.Errorf("reports %+v", r)
	}
	batch, err := d.Batch(0)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rowsText(batch), "hourly [0, 60) open false: 7 of 3\nhourly [60, 120) open false: 10 of 1\n"; got != want {
		t.Errorf("batch\n%swant\n%s", got, want)
	}
	if c := d.Counters(); !c.Balanced() || c.Consumed != 5 {
		t.Errorf("counters %+v", c)
	}
}

// TestDriverCrash: a crash forgets what was not committed, and nothing else (law L4).
func TestDriverCrash(t *testing.T) {
	calm, event := newTestDriver(t)
	crashed, _ := newTestDriver(t)
	for i := range 20 {
		for _, d := range []*Driver{calm, crashed} {
			d.Append(0, 0, event(fmt.Sprint("e", i), float64(7*i), int64(i)))
			if _, err := d.Process(0, 0); err != nil {
				t.Fatal(err)
			}
		}
		if i%4 == 1 {
			if err := crashed.Commit(0); err != nil {
				t.Fatal(err)
			}
		}
		if i%4 == 3 {
			if err := crashed.Crash(0); err != nil {
				t.Fatal(err)
			}
			if crashed.Pending(0, 0) == 0 {
				t.Errorf("after event %d nothing waits to be processed again", i)
			}
			for crashed.Pending(0, 0) > 0 {
				if _, err := crashed.Process(0, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, d := range []*Driver{calm, crashed} {
		if err := d.Settle(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(calm.State(0), crashed.State(0)) || !slices.Equal(rowTexts(calm.Rows()), rowTexts(crashed.Rows())) {
		t.Errorf("rows\n%s\n%s", rowsText(calm.Rows()), rowsText(crashed.Rows()))
	}
}

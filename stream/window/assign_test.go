package window

import (
	"fmt"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// The first and the last times, the greatest spans and the most windows of a time are taken, found again after a
// restart, and closed, with every kind of windows.
func TestTheEndsOfTime(t *testing.T) {
	ny, apia := zone(t, "America/New_York"), zone(t, "Pacific/Apia")
	days := SpanMax / dayMs * dayMs
	for _, o := range []Output{
		{Name: "most", Size: 1000, Every: 1},
		{Name: "far", Size: SpanMax, Every: SpanMax / WindowsMax, Lateness: SpanMax},
		{Name: "day", Size: dayMs, Zone: ny},
		{Name: "hour", Size: dayMs / 24, Zone: apia},
		{Name: "days", Size: days, Zone: ny, Lateness: SpanMax},
		{Name: "hop", Size: 5 * dayMs, Every: 2 * dayMs, Zone: apia},
	} {
		o.Aggs = counts()[0].Aggs
		back := backingtest.New()
		want := map[string]int{}
		e := engine(t, []Output{o}, back, 1)
		for _, at := range []int64{TimeMin, -1, 0, TimeMax} {
			for _, w := range o.Assign(at, nil) {
				if !w.holds(at) {
					t.Fatalf("%s: %d is in %v", o.Name, at, w)
				}
				want[fmt.Sprint(w)]++
			}
			if _, err := e.Add(event(at, "k", fmt.Sprint(at)), NoWatermark); err != nil {
				t.Fatalf("%s: %v", o.Name, err)
			}
			if err := apply(back, e); err != nil {
				t.Fatal(err)
			}
			e = engine(t, []Output{o}, back, 1)
		}
		got := map[string]int{}
		if err := e.Close(1<<62, func(r *Result) error {
			got[fmt.Sprint(Span{r.Start, r.End})] = int(r.Events)
			return nil
		}); err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %d windows %v, want %d", o.Name, len(got), got, len(want))
		}
	}
}

package reconcile

import (
	"maps"
	"math/rand"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Every window has exactly one unit, and a unit reads every hour that its windows touch (invariant 1): that of its start's
// hour, a session's that of its aligned span's.
func TestSpans(t *testing.T) {
	const minute = int64(60_000)
	zone, err := window.LoadZone("Asia/Kolkata") // half an hour off: windows of a day start within a lake hour
	if err != nil {
		t.Fatal(err)
	}
	newYork, err := window.LoadZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	outputs := []window.Output{
		{Size: 60 * minute, Every: 15 * minute}, {Size: 60 * minute, Every: 60 * minute}, {Size: 150 * minute, Every: 70 * minute},
		{Size: 24 * 60 * minute, Zone: zone}, {Size: 60 * minute, Zone: zone}, {Size: 24 * 60 * minute, Zone: newYork},
		{Size: 3 * 24 * 60 * minute, Every: 24 * 60 * minute, Zone: newYork}, {Size: 6 * 60 * minute, Zone: newYork}, {Size: 6 * 60 * minute, Zone: zone},
		{Size: 30 * 24 * 60 * minute, Every: 7 * 24 * 60 * minute, Zone: zone}, {Size: 24 * 60 * minute, Every: 15 * minute},
		{Size: 7 * 24 * 60 * minute, Gap: 24 * 60 * minute, Zone: newYork}, {Size: 30 * 24 * 60 * minute},
		{Size: 24 * 60 * minute, Gap: 30 * minute}, {Size: 24 * 60 * minute, Gap: 30 * minute, Zone: zone}, {Size: 20 * minute, Gap: minute},
	}
	for _, size := range []int64{1, 7, 13 * minute, 59 * minute, 60 * minute, 90 * minute, 25 * 60 * minute, 24 * 60 * minute, 61*minute + 1} {
		outputs = append(outputs, window.Output{Size: max(size, 7*minute)})
	}
	rng := rand.New(rand.NewSource(1))
	for i := range outputs {
		o := &outputs[i]
		o.Name = "x"
		for range 200 {
			checkSpans(t, o, rng.Int63n(1e12)-5e11) // also before the epoch
		}
	}
}

func checkSpans(t *testing.T, o *window.Output, at int64) {
	t.Helper()
	want := map[int64]bool{}
	for _, w := range o.Assign(at, nil) {
		hour := floorHour(w.Start)
		want[hour] = true
		s := spanOf(o, hour)
		if s.empty || !s.holds(o, at) || s.end < w.End || !s.owns(o, w.Start) {
			t.Fatalf("%+v: the unit %d of window %v, which holds %d, is %+v", *o, hour, w, at, s)
		}
		read := map[int64]bool{}
		hoursOf(s.hour, s.end, func(h int64) { read[h] = true })
		if !read[floorHour(at)] {
			t.Fatalf("%+v: unit %d does not read the hour of %d", *o, hour, at)
		}
	}
	found := map[int64]bool{}
	unitsTouched(o, floorHour(at), floorHour(at)+hourMs-1, func(h int64) {
		if spanOf(o, h).holds(o, at) {
			found[h] = true
		}
	})
	if !maps.Equal(want, found) {
		t.Fatalf("%+v: %d is in windows of units %v; %v hold it", *o, at, want, found)
	}
}

// A slot is a function of the unit alone, for ever: two releases that run at once must fence each other.
func TestSlotsNeverMove(t *testing.T) {
	for _, c := range []struct {
		output string
		hour   string
		want   int
	}{
		{"departures-hourly", "2013-01-09T14:00:00Z", 2},
		{"departures-hourly", "2013-01-09T15:00:00Z", 5},
		{"sales", "1969-12-31T23:00:00Z", 8},
	} {
		if got := slotOf(c.output, msOf(c.hour)); got != c.want {
			t.Errorf("slot of %s %s is %d, was %d", c.output, c.hour, got, c.want)
		}
	}
	seen := map[int]bool{}
	for h := int64(0); h < 500; h++ {
		seen[slotOf("x", h*hourMs)] = true
	}
	if len(seen) != slots {
		t.Errorf("%d of %d slots are used", len(seen), slots)
	}
}

package reconcile

import (
	"math/rand"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Every window has exactly one unit, that of its start's hour, and a unit reads every hour that its windows touch (invariant 1).
func TestSpans(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	minutes := int64(60_000)
	for _, size := range []int64{1, 7 * minutes, 13 * minutes, 59 * minutes, 60 * minutes, 90 * minutes, 25 * 60 * minutes, 24 * 60 * minutes, 61*minutes + 1} {
		o := &window.Output{Name: "x", Size: size}
		for n := 0; n < 300; n++ {
			at := rng.Int63n(1e12) - 5e11 // also before the epoch
			start := o.Start(at)
			hour := floorHour(start)
			if hour > start || start >= hour+hourMs || hour%hourMs != 0 {
				t.Fatalf("hour of %d is %d", start, hour)
			}
			s := spanOf(o, hour)
			if s.empty || !s.holds(at) || s.first < hour || s.last >= hour+hourMs || s.end != s.last+size {
				t.Fatalf("size %d: span of %d is %+v", size, hour, s)
			}
			read := map[int64]bool{}
			s.readHours(func(h int64) { read[h] = true })
			if !read[floorHour(at)] {
				t.Fatalf("size %d: unit %d does not read the hour of %d", size, hour, at)
			}
			owners := 0
			unitsTouched(o, floorHour(at), floorHour(at)+hourMs-1, func(h int64) {
				if spanOf(o, h).holds(at) {
					owners++
					if h != hour {
						t.Fatalf("size %d: %d belongs to the unit %d, and to %d", size, at, hour, h)
					}
				}
			})
			if owners != 1 {
				t.Fatalf("size %d: %d units hold %d", size, owners, at)
			}
		}
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

package flights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"
)

func january(t *testing.T) []Departure {
	t.Helper()
	departures, _, err := January()
	if err != nil {
		t.Fatal(err)
	}
	return departures
}

// produced are the events as they are produced: with the copies, or (originals) without.
func produced(t *testing.T, originals bool) []modelEvent {
	t.Helper()
	var sent []Sent
	for _, s := range Replay(january(t)) {
		if !originals || !s.Copy {
			sent = append(sent, s)
		}
	}
	var lines bytes.Buffer
	if err := WriteLines(&lines, sent); err != nil {
		t.Fatal(err)
	}
	return readEvents(t, lines.Bytes())
}

func TestCancelledFlightsAreLeftOut(t *testing.T) {
	departures, cancelled, err := January()
	if err != nil {
		t.Fatal(err)
	}
	if len(departures) != 26_483 || cancelled != 521 {
		t.Errorf("%d departures and %d cancelled, want 26,483 and 521", len(departures), cancelled)
	}
}

// The table by which the demo's bounds were chosen: how late the departures are under several of them.
func TestLatenessOfTheMonth(t *testing.T) {
	events := produced(t, true)
	for _, want := range []struct{ outOfOrderness, lateness, late, windows, hours int }{
		{10, 0, 2588, 993, 465},
		{15, 30, 1248, 675, 391},
		{30, 30, 952, 542, 331},
		{30, 60, 493, 349, 242},
		{30, 120, 170, 147, 122},
		{60, 180, 40, 38, 37},
	} {
		t.Run(fmt.Sprintf("%dm+%dm", want.outOfOrderness, want.lateness), func(t *testing.T) {
			o := model(events, want.outOfOrderness, want.lateness)
			if o.late != want.late || len(o.correct) != want.windows || o.hours() != want.hours {
				t.Errorf("late %d, windows to correct %d, hours %d; want %d, %d, %d",
					o.late, len(o.correct), o.hours(), want.late, want.windows, want.hours)
			}
			if len(o.truth) != 1642 {
				t.Errorf("%d windows, want 1642", len(o.truth))
			}
		})
	}
}

// What the demo tells, line by line, computed without the engine.
func TestStoryOfTheDemo(t *testing.T) {
	events := produced(t, false)
	o := model(events, 30, 30)
	hours := map[int]bool{}
	for w := range o.truth {
		hours[w.start] = true
	}
	at := func(in map[modelWindow]*tally, origin, hour string) string {
		start, err := time.Parse(time.RFC3339, hour)
		if err != nil {
			t.Fatal(err)
		}
		w := in[modelWindow{origin, int(start.Unix() / 60)}]
		return fmt.Sprintf("%d flights, mean %s, %d over 60", w.flights, w.mean(), w.over60)
	}
	streamed, truth := total(o.streamed), total(o.truth)
	for _, c := range []struct{ what, got, want string }{
		{"records", fmt.Sprint(len(events)), "26739"},
		{"outcomes", fmt.Sprint(o.aggregated, o.duplicate, o.late, o.lateFirst), "25531 256 952 952"},
		{"windows", fmt.Sprint(len(o.truth), len(o.streamed)), "1642 1642"},
		{"to correct", fmt.Sprint(len(o.correct), o.hours(), len(hours)), "542 331 589"},
		{"streamed", streamed.String(), "25531 flights, 875 over 60, 3.43 %, mean 5.03"},
		{"truth", truth.String(), "26483 flights, 1821 over 60, 6.88 %, mean 10.04"},
		{"JFK streamed", at(o.streamed, "JFK", "2013-01-09T14:00:00Z"), "18 flights, mean 1.00, 0 over 60"},
		{"JFK truth", at(o.truth, "JFK", "2013-01-09T14:00:00Z"), "19 flights, mean 69.42, 1 over 60"},
		{"EWR streamed", at(o.streamed, "EWR", "2013-01-26T00:00:00Z"), "6 flights, mean 52.33, 4 over 60"},
		{"EWR truth", at(o.truth, "EWR", "2013-01-26T00:00:00Z"), "16 flights, mean 115.44, 14 over 60"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}

func TestNaturalIDsAreUnique(t *testing.T) {
	ids := map[string]bool{}
	for _, e := range produced(t, true) {
		if ids[e.id] {
			t.Errorf("%s occurs twice", e.id)
		}
		ids[e.id] = true
	}
}

func TestPartitionsOfTheOrigins(t *testing.T) {
	for origin, want := range map[string]uint32{"EWR": 3, "JFK": 1, "LGA": 0} {
		if got := partition(origin); got != want {
			t.Errorf("%s is in partition %d, want %d", origin, got, want)
		}
	}
}

// Invariant 1. A change of this hash changes the offsets that the README shows.
func TestReplayIsAlwaysTheSame(t *testing.T) {
	sum := sha256.New()
	if err := WriteLines(sum, Replay(january(t))); err != nil {
		t.Fatal(err)
	}
	const want = "4374bd8bfaba045350ad6164a195e4d0436052d1642b9483298dcceae15d2705"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("the events hash to %s, want %s", got, want)
	}
}

// Invariant 2.
func TestCopiesFollowTheirOriginals(t *testing.T) {
	seen, copies := map[*Departure]bool{}, 0
	for _, s := range Replay(january(t)) {
		if s.Copy != seen[s.Departure] {
			t.Fatalf("%s %d: copy %v, seen before %v", s.Carrier, s.Flight, s.Copy, seen[s.Departure])
		}
		if late := s.At.Sub(s.Left()); late < 0 || late >= time.Minute || s.Copy == (late == 0) {
			t.Errorf("%s %d was sent %s after it left", s.Carrier, s.Flight, late)
		}
		if s.Copy {
			copies++
		}
		seen[s.Departure] = true
	}
	if copies != Copies || len(seen) != 26_483 {
		t.Errorf("%d departures and %d copies", len(seen), copies)
	}
}

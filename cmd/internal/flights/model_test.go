package flights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// The model is an independent computation of what the demo must find. It reads the JSON lines that are
// produced, and shares no code with the engine: maps, minutes and a handful of rules.

const (
	hour       = 60 // the model counts minutes
	farFuture  = 24 * hour
	confirming = 4 // the limit of 3 further events, and the first
)

type modelEvent struct {
	Carrier   string `json:"carrier"`
	Flight    int    `json:"flight"`
	Origin    string `json:"origin"`
	Scheduled string `json:"scheduled_departure"`
	Delay     int    `json:"departure_delay"`

	minute int
	id     string
}

type modelWindow struct {
	origin string
	start  int
}

type tally struct{ flights, over60, delay int }

func (t *tally) add(e modelEvent) {
	t.flights++
	t.delay += e.Delay
	if e.Delay > 60 {
		t.over60++
	}
}

func (t *tally) mean() string { return fmt.Sprintf("%.2f", float64(t.delay)/float64(t.flights)) }

func (t *tally) String() string {
	return fmt.Sprintf("%d flights, %d over 60, %.2f %%, mean %s",
		t.flights, t.over60, 100*float64(t.over60)/float64(t.flights), t.mean())
}

type outcome struct {
	aggregated, duplicate, late int
	streamed, truth             map[modelWindow]*tally
	correct                     map[modelWindow]bool // windows with a late event
	lateFirst                   int                  // late events that are no copies
}

func readEvents(t *testing.T, lines []byte) []modelEvent {
	t.Helper()
	var events []modelEvent
	scan := bufio.NewScanner(bytes.NewReader(lines))
	for scan.Scan() {
		var e modelEvent
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, e.Scheduled)
		if err != nil {
			t.Fatal(err)
		}
		e.minute = int(at.Unix() / 60)
		e.id = fmt.Sprintf("%s|%d|%d", e.Carrier, e.Flight, e.minute)
		events = append(events, e)
	}
	return events
}

// follow is the watermark of one partition: the highest time, but a jump of more than a day waits for further events.
type follow struct {
	known   bool
	highest int
	waiting []int
}

func (f *follow) see(minute int) {
	if f.known && minute <= f.highest+farFuture {
		f.highest = max(f.highest, minute)
		return
	}
	f.waiting = append(f.waiting, minute)
	slices.Sort(f.waiting)
	if len(f.waiting) == confirming {
		f.known, f.highest = true, max(f.highest, f.waiting[0])
		f.waiting = slices.DeleteFunc(f.waiting, func(m int) bool {
			near := m <= f.highest+farFuture
			if near {
				f.highest = max(f.highest, m)
			}
			return near
		})
	}
}

// model streams the events over four partitions keyed by origin and tells what comes of each.
func model(events []modelEvent, outOfOrderness, lateness int) outcome {
	o := outcome{
		streamed: map[modelWindow]*tally{}, truth: map[modelWindow]*tally{}, correct: map[modelWindow]bool{},
	}
	add := func(in map[modelWindow]*tally, w modelWindow, e modelEvent) {
		if in[w] == nil {
			in[w] = &tally{}
		}
		in[w].add(e)
	}
	marks := map[uint32]*follow{}
	aggregated, seen := map[string]bool{}, map[string]bool{}
	for _, e := range events {
		p := partition(e.Origin)
		if marks[p] == nil {
			marks[p] = &follow{}
		}
		marks[p].see(e.minute)
		w := modelWindow{e.Origin, e.minute / hour * hour}
		if !seen[e.id] {
			add(o.truth, w, e)
		}
		switch mark := marks[p]; {
		case mark.known && mark.highest-outOfOrderness >= w.start+hour+lateness:
			o.late++
			if !seen[e.id] {
				o.lateFirst++
			}
			if !aggregated[e.id] {
				o.correct[w] = true
			}
		case aggregated[e.id]:
			o.duplicate++
		default:
			o.aggregated++
			aggregated[e.id] = true
			add(o.streamed, w, e)
		}
		seen[e.id] = true
	}
	return o
}

// partition is murmur2 as Kafka's default partitioner uses it, over four partitions.
func partition(key string) uint32 {
	const m = 0x5bd1e995
	h := 0x9747b28c ^ uint32(len(key))
	b := []byte(key)
	for ; len(b) >= 4; b = b[4:] {
		k := binary.LittleEndian.Uint32(b) * m
		h = h*m ^ (k^k>>24)*m
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
	}
	if len(b) > 0 {
		h *= m
	}
	h = (h ^ h>>13) * m
	return (h ^ h>>15) & 0x7fffffff % 4
}

func (o outcome) hours() int {
	hours := map[int]bool{}
	for w := range o.correct {
		hours[w.start] = true
	}
	return len(hours)
}

func total(windows map[modelWindow]*tally) *tally {
	sum := &tally{}
	for _, t := range windows {
		sum.flights, sum.over60, sum.delay = sum.flights+t.flights, sum.over60+t.over60, sum.delay+t.delay
	}
	return sum
}

package flights

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// Copies is how many departures are sent twice: about one in a hundred.
const Copies = 256

// seed draws the copies. It was chosen so that no copy reaches a window that has closed meanwhile: then the
// copies are exactly the duplicates, and the late events exactly the late departures, and a reader can add them up.
const seed = 11321

// Sent is one sending of a departure.
type Sent struct {
	*Departure
	At   time.Time
	Copy bool
}

// Replay gives the sendings in the order in which they happened: each departure when the aeroplane left, and
// each copy within a minute of its original, as a producer does that missed an acknowledgement.
func Replay(departures []Departure) []Sent { return replay(departures, seed) }

func replay(departures []Departure, seed uint64) []Sent {
	draw := rand.NewPCG(seed, 2013)
	all := make([]Sent, 0, len(departures)+Copies)
	copies := min(Copies, len(departures))
	for i := range departures {
		d := &departures[i]
		all = append(all, Sent{Departure: d, At: d.Left()})
		// Selection sampling (Knuth, volume 2, algorithm S): each departure is drawn with the same chance, in one pass.
		if left := len(departures) - i; draw.Uint64()%uint64(left) < uint64(copies) {
			copies--
			after := time.Duration(1+draw.Uint64()%59) * time.Second
			all = append(all, Sent{Departure: d, At: d.Left().Add(after), Copy: true})
		}
	}
	slices.SortStableFunc(all, func(a, b Sent) int { return a.At.Compare(b.At) })
	return all
}

// event is a departure in the field names of Schema.
type event struct {
	Carrier     string  `json:"carrier"`
	Flight      int     `json:"flight"`
	Tail        *string `json:"tail_number"`
	Origin      string  `json:"origin"`
	Destination string  `json:"destination"`
	Scheduled   string  `json:"scheduled_departure"`
	Delay       int64   `json:"departure_delay"`
	Kilometres  int64   `json:"distance_km"`
}

func (d *Departure) event() event {
	e := event{
		Carrier: d.Carrier, Flight: d.Flight, Origin: d.Origin, Destination: d.Destination,
		Scheduled:  d.Scheduled.Format(time.RFC3339),
		Delay:      int64(d.Delay / time.Minute),
		Kilometres: d.Kilometres,
	}
	if d.Tail != "" {
		e.Tail = &d.Tail
	}
	return e
}

// WriteLines writes the events as JSON lines, one sending a line.
func WriteLines(w io.Writer, sent []Sent) error {
	out := bufio.NewWriterSize(w, 1<<16)
	lines := json.NewEncoder(out)
	for i := range sent {
		if err := lines.Encode(sent[i].event()); err != nil {
			return fmt.Errorf("write event %d: %w", i+1, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	return nil
}

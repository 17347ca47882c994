package flights

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Copies is how many departures are sent twice: about one in a hundred.
const Copies = 256

// seed draws the copies. It was chosen so that no copy reaches a window that has closed meanwhile: then the
// copies are exactly the duplicates, and the late events exactly the late departures, and a reader can add them up.
const seed = 1

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

// AppendJSON appends the event of the departure as one JSON object, in the field names of Schema.
func (d *Departure) AppendJSON(dst []byte) []byte {
	dst = appendText(append(dst, '{'), "carrier", d.Carrier)
	dst = appendNumber(append(dst, ','), "flight", int64(d.Flight))
	if d.Tail == "" {
		dst = append(dst, `,"tail_number":null`...)
	} else {
		dst = appendText(append(dst, ','), "tail_number", d.Tail)
	}
	dst = appendText(append(dst, ','), "origin", d.Origin)
	dst = appendText(append(dst, ','), "destination", d.Destination)
	dst = appendText(append(dst, ','), "scheduled_departure", d.Scheduled.Format(time.RFC3339))
	dst = appendNumber(append(dst, ','), "departure_delay", int64(d.Delay/time.Minute))
	dst = appendNumber(append(dst, ','), "distance_km", d.Kilometres)
	return append(dst, '}')
}

func appendText(dst []byte, name, value string) []byte {
	dst = append(strconv.AppendQuote(dst, name), ':')
	quoted, err := json.Marshal(value)
	if err != nil { // a string always marshals
		return strconv.AppendQuote(dst, value)
	}
	return append(dst, quoted...)
}

func appendNumber(dst []byte, name string, value int64) []byte {
	dst = append(strconv.AppendQuote(dst, name), ':')
	return strconv.AppendInt(dst, value, 10)
}

// WriteLines writes the events as JSON lines, one sending a line.
func WriteLines(w io.Writer, sent []Sent) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for i := range sent {
		line = append(sent[i].AppendJSON(line[:0]), '\n')
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write event %d: %w", i+1, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	return nil
}

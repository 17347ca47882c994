package window

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Watermark is the watermark of one source partition, with a guard against far-future stamps: one event that claims
// to be far ahead must not close windows. It is a function of the partition's records in their order and of the
// decisions, and never falls. Not safe for concurrent use.
//
// An event up to MaxFuture ahead of Base moves it. Those beyond, and a partition's first, are held in Pending, the
// Confirm + 1 highest distinct ones; when so many are there, Base becomes the lowest of them and takes in those that
// are then within the limit. (The highest would let one bad stamp in after a true jump: model far_future.py.)
type Watermark struct {
	Base    int64     `json:"base"`              // highest event time believed, ms; NoWatermark when there is none
	Pending []Pending `json:"pending,omitempty"` // ascending (time, id); at most Confirm
}

// Pending is an event too far ahead to be believed alone. As JSON its id is hexadecimal.
type Pending struct {
	Time int64    // ms
	ID   [16]byte // its identity
}

// WatermarkOptions decide a watermark, and so results.
type WatermarkOptions struct {
	OutOfOrderness int64 // ms that an event may be behind the partition's highest, from 0
	MaxFuture      int64 // ms that an event may be ahead of the highest to be believed at once, from 0
	Confirm        int   // further distinct events that confirm a jump beyond MaxFuture, from 0
}

// NewWatermark is the watermark of a partition that has had no event. The zero Watermark isn't: it has seen 1970.
func NewWatermark() Watermark { return Watermark{Base: NoWatermark} }

// Observe takes one event: its time (ms), and its identity, so that copies confirm nothing. A record without an
// identity passes its place.
func (w *Watermark) Observe(t int64, id [16]byte, o WatermarkOptions) {
	if w.believes(t, o) {
		w.Base = max(w.Base, t)
		return
	}
	p := Pending{Time: t, ID: id}
	at, found := slices.BinarySearchFunc(w.Pending, p, comparePending)
	if found {
		return
	}
	w.Pending = slices.Insert(w.Pending, at, p)
	if len(w.Pending) > o.Confirm {
		w.Base = max(w.Base, w.Pending[0].Time)
		w.absorb(o)
	}
}

// Value is the watermark in ms: the claim that no event of the partition below it is to come. NoWatermark when there
// is none yet.
func (w *Watermark) Value(o WatermarkOptions) int64 {
	if w.Base == NoWatermark || w.Base < NoWatermark+o.OutOfOrderness {
		return NoWatermark
	}
	return w.Base - o.OutOfOrderness
}

// Raise applies a decision (law L5): the watermark becomes at least `to` (ms), which is below MaxInt64 -
// OutOfOrderness. It never falls. Pending events that are then within the limit are believed.
func (w *Watermark) Raise(to int64, o WatermarkOptions) {
	if to == NoWatermark {
		return
	}
	w.Base = max(w.Base, saturated(to, o.OutOfOrderness))
	w.absorb(o)
}

// believes says whether an event of time t moves the base at once.
func (w *Watermark) believes(t int64, o WatermarkOptions) bool {
	return w.Base != NoWatermark && t <= saturated(w.Base, o.MaxFuture)
}

// absorb believes pending events, lowest first, as long as each is within the limit of those before it.
func (w *Watermark) absorb(o WatermarkOptions) {
	n := 0
	for n < len(w.Pending) && w.believes(w.Pending[n].Time, o) {
		w.Base = max(w.Base, w.Pending[n].Time)
		n++
	}
	w.Pending = slices.Delete(w.Pending, 0, n)
}

func comparePending(a, b Pending) int {
	if a.Time != b.Time {
		return cmp.Compare(a.Time, b.Time)
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

// saturated is t + d for a d from 0.
func saturated(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

type pendingJSON struct {
	Time int64  `json:"time"`
	ID   string `json:"id"`
}

// MarshalJSON writes {"time": ms, "id": 32 hexadecimal digits}.
func (p Pending) MarshalJSON() ([]byte, error) {
	return json.Marshal(pendingJSON{Time: p.Time, ID: hex.EncodeToString(p.ID[:])})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Pending) UnmarshalJSON(b []byte) error {
	var v pendingJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("pending event: %w", err)
	}
	id, err := hex.DecodeString(v.ID)
	if err != nil || len(id) != len(p.ID) {
		return fmt.Errorf("pending event: id %q isn't %d hexadecimal digits", v.ID, 2*len(p.ID))
	}
	p.Time = v.Time
	copy(p.ID[:], id)
	return nil
}

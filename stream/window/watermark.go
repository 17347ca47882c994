package window

// Watermark is the watermark of one source partition, with the guard against far-future stamps. It is a function of
// the partition's records in their order and of the decisions; it never falls. Not safe for concurrent use.
type Watermark struct {
	Base    int64     `json:"base"`              // highest confirmed event time, ms; NoWatermark when there is none
	Pending []Pending `json:"pending,omitempty"` // highest events beyond the limit, ascending (time, id), at most Confirm
}

// Pending is an event too far ahead to be believed alone.
type Pending struct {
	Time int64    // ms
	ID   [16]byte // its identity
}

// WatermarkOptions decide a watermark, and so results.
type WatermarkOptions struct {
	OutOfOrderness int64 // ms that events of a partition may be behind its highest
	MaxFuture      int64 // ms that an event may be ahead of the highest to be believed at once
	Confirm        int   // further events that confirm a jump beyond MaxFuture
}

// NewWatermark is the watermark of a partition that has had no event.
func NewWatermark() Watermark { return Watermark{Base: NoWatermark} }

// Observe takes one event: its time (ms) and its identity. A record without an identity passes its place.
func (w *Watermark) Observe(t int64, id [16]byte, o WatermarkOptions) { panic("not yet") }

// Value is the watermark in ms: every event below it is late; NoWatermark when there is none.
func (w *Watermark) Value(o WatermarkOptions) int64 { panic("not yet") }

// Raise applies a decision: the watermark becomes at least `to` (ms). It never falls.
func (w *Watermark) Raise(to int64, o WatermarkOptions) { panic("not yet") }

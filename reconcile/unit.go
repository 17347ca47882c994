package reconcile

import (
	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/window"
)

const hourMs = int64(3_600_000)

// unitKey names a unit: an output (by index) and a lake hour (ms). It owns every window that starts in the hour.
type unitKey struct {
	output int
	hour   int64
}

// less orders units as plans, audits and the Merkle tree do.
func (k unitKey) less(o unitKey) bool {
	if k.output != o.output {
		return k.output < o.output
	}
	return k.hour < o.hour
}

// span is the stretch of event time that a unit's windows cover.
type span struct {
	// first and last are the starts of the first and last window that begin in the hour; end is where the last one ends.
	first, last, end int64
	// empty: no window begins in this hour, as in 23 of 24 hours with windows of a day.
	empty bool
}

// spanOf lists the windows that start in [hour, hour+1h).
func spanOf(o *window.Output, hour int64) span {
	last := o.Start(hour + hourMs - 1)
	if last < hour {
		return span{empty: true}
	}
	first := o.Start(hour)
	if first < hour {
		first += o.Size
	}
	return span{first: first, last: last, end: last + o.Size}
}

// holds reports whether an event of time t belongs to one of the windows.
func (s span) holds(t int64) bool { return !s.empty && t >= s.first && t < s.end }

// readHours calls fn with every lake hour that the windows touch, ascending.
func (s span) readHours(fn func(hour int64)) {
	if s.empty {
		return
	}
	for h := floorHour(s.first); h < s.end; h += hourMs {
		fn(h)
	}
}

// closes is the watermark at which every window of the unit that may hold a landed event is closed for good. Windows
// behind the newest event are not waited for: a run to the end raises watermarks just high enough for the
// windows that hold events, and events that come later make the unit dirty again. A unit without windows (it
// holds results of an earlier window size only) waits for the hour's end.
func (s span) closes(o *window.Output, hour int64, files []lake.File) int64 {
	if s.empty {
		return hour + hourMs + o.Lateness
	}
	newest, any := int64(0), false
	for i := range files {
		if t := min(files[i].MaxTime, s.end-1); t >= s.first && (!any || t > newest) {
			newest, any = t, true
		}
	}
	if !any {
		return s.end + o.Lateness
	}
	return o.Start(newest) + o.Size + o.Lateness
}

// unitsTouched calls fn with the hours of the units whose windows may hold events of times [min, max].
func unitsTouched(o *window.Output, minTime, maxTime int64, fn func(hour int64)) {
	for h := floorHour(o.Start(minTime)); h <= floorHour(o.Start(maxTime)); h += hourMs {
		if !spanOf(o, h).empty {
			fn(h)
		}
	}
}

// floorHour is the start of the hour that holds t (ms), also before the epoch.
func floorHour(t int64) int64 {
	r := t % hourMs
	if r < 0 {
		r += hourMs
	}
	return t - r
}

// partition is the hour as the lake writes it.
func (k unitKey) partition() string { return lake.Hour(k.hour) }

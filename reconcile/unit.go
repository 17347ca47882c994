package reconcile

import (
	"math"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/window"
)

const hourMs = int64(3_600_000)

// unitKey names a unit: an output (by index) and a lake hour (ms). It owns every window that starts in the hour; of an
// output of sessions, every session of the aligned span that starts in it.
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
	hour  int64 // the unit's
	end   int64 // where its last window ends
	empty bool  // no window begins in this hour, as in 23 of 24 hours with windows of a day
}

// spanOf covers the windows that start in [hour, hour+1h). The window that holds the hour's last ms and starts last starts
// last of all, because windows leave no gap.
func spanOf(o *window.Output, hour int64) span {
	last := lastOf(o, hour+hourMs-1)
	return span{hour: hour, end: last.End, empty: last.Start < hour}
}

// last is where the unit ends: with its last window, or with its hour.
func (s span) last() int64 {
	if s.empty {
		return s.hour + hourMs
	}
	return s.end
}

// lastOf is the window that holds t and starts last.
func lastOf(o *window.Output, t int64) window.Span {
	held := o.Assign(t, nil)
	return held[len(held)-1]
}

// holds reports whether an event of time t belongs to one of the unit's windows.
func (s span) holds(o *window.Output, t int64) bool {
	if s.empty || t < s.hour || t >= s.end {
		return false
	}
	var room [8]window.Span
	for _, w := range o.Assign(t, room[:0]) {
		if floorHour(w.Start) == s.hour {
			return true
		}
	}
	return false
}

// owns reports whether a result whose window starts at the time is the unit's.
func (s span) owns(o *window.Output, start int64) bool {
	if o.Session() {
		start = lastOf(o, start).Start
	}
	return floorHour(start) == s.hour
}

// hoursOf calls fn with every lake hour that times [from, to) touch, ascending.
func hoursOf(from, to int64, fn func(hour int64)) {
	for h := floorHour(from); h < to; h += hourMs {
		fn(h)
	}
}

// rowHours calls fn with the lake hours in which the unit's results are filed, by the starts of their windows.
func (s span) rowHours(o *window.Output, fn func(hour int64)) {
	if !o.Session() || s.empty {
		fn(s.hour)
		return
	}
	hoursOf(s.hour, s.end, fn)
}

// closes is the watermark at which every window of the unit that may hold a landed event is closed for good. Windows
// behind the newest event are not waited for: a run to the end raises watermarks just high enough for the
// windows that hold events, and events that come later make the unit dirty again. A unit without windows (it
// holds results of an earlier window size only) waits for the hour's end.
func (s span) closes(o *window.Output, files []unitFile) int64 {
	if s.empty {
		return s.hour + hourMs + o.Lateness
	}
	newest, any := int64(0), false
	for i := range files {
		if t := min(files[i].MaxTime, s.end-1); t >= s.hour && (!any || t > newest) {
			newest, any = t, true
		}
	}
	if !any {
		return s.end + o.Lateness
	}
	if o.Session() {
		return min(newest+o.Gap, s.end) + o.Lateness
	}
	return lastOf(o, min(newest, s.hour+hourMs-1)).End + o.Lateness
}

// unitsTouched calls fn, once each, with the hours of the units whose windows may hold events of times [min, max]: the windows
// that hold the first, and those that start after it.
func unitsTouched(o *window.Output, minTime, maxTime int64, fn func(hour int64)) {
	before := int64(math.MinInt64)
	give := func(h int64) {
		if h > before {
			fn(h)
			before = h
		}
	}
	for _, w := range o.Assign(minTime, nil) {
		give(floorHour(w.Start))
	}
	for h := floorHour(minTime); h <= floorHour(lastOf(o, maxTime).Start); h += hourMs {
		if !spanOf(o, h).empty {
			give(h)
		}
	}
}

// within widens [low, high] to hold the times of files.
func within(files []landedFile, low, high int64) (int64, int64) {
	for i := range files {
		low, high = min(low, files[i].MinTime), max(high, files[i].MaxTime)
	}
	return low, high
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

// unitFile is a raw file that a unit reads, and the number of the source that it is of.
type unitFile struct {
	lake.File
	source int
}

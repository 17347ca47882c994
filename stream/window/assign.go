package window

// Output is one windowed result of a pipeline. Which windows hold an event is a function of the event's time and
// these settings, never of other events, but for sessions: see doc.go.
type Output struct {
	Name     string // for messages
	Size     int64  // ms, of a window; from 1 to SpanMax. Of sessions: the aligned span at which they are cut
	Every    int64  // ms between the starts of hopping windows, from 1 to Size; 0: Size, which makes them tumbling
	Gap      int64  // ms of silence that end a session; 0: not sessions
	Zone     *Zone  // the days that windows are aligned to; nil: UTC
	Lateness int64  // ms that a window stays open after its end; from 0 to SpanMax
	Updates  bool   // Engine.Updates may be asked for results of open windows; not of sessions
	Aggs     []Agg
}

// Span is a window in time: it holds Start <= t < End, in ms.
type Span struct{ Start, End int64 }

func (s Span) holds(t int64) bool { return s.Start <= t && t < s.End }

const dayMs = 86_400_000

// Session says whether the output's windows are sessions.
func (o *Output) Session() bool { return o.Gap > 0 }

// Assign appends the windows that hold time t (ms) to dst, ascending by start: at least one, and of tumbling windows
// exactly one. Of an output of sessions it is the one aligned span that its sessions are cut at.
//
// Without a Zone, windows start at the multiples of Every (of Size, when they are tumbling) since the epoch, also
// before it. With one, see Zone.
func (o *Output) Assign(t int64, dst []Span) []Span {
	switch {
	case o.Zone == nil:
		every := o.every()
		last := floorTo(t, every)
		for n := (last - t + o.Size - 1) / every; n >= 0; n-- {
			dst = append(dst, Span{last - n*every, last - n*every + o.Size})
		}
		return dst
	case o.Size%dayMs == 0:
		return o.assignDays(t, dst)
	}
	day := o.Zone.day(t)
	begin := o.Zone.begin(day)
	start := begin + floorTo(t-begin, o.Size)
	return append(dst, Span{start, min(start+o.Size, o.Zone.begin(day+1))})
}

// assignDays appends the windows of whole local days that hold t.
func (o *Output) assignDays(t int64, dst []Span) []Span {
	size, every := o.Size/dayMs, o.every()/dayMs
	day := o.Zone.day(t)
	last := floorTo(day, every)
	for n := (last - day + size - 1) / every; n >= 0; n-- {
		first := last - n*every
		s := Span{o.Zone.begin(first), o.Zone.begin(first + size)}
		if n > 0 && s.Start == o.Zone.begin(first+every) {
			continue // it would begin on a day that the zone left out: the next is the one that starts then
		}
		dst = append(dst, s)
	}
	return dst
}

// same is a span around t in which Assign gives the windows that it gives for t, which are ws.
func (o *Output) same(t int64, ws []Span) Span {
	if o.Zone != nil {
		if len(ws) == 1 && o.every() == o.Size {
			return ws[0]
		}
		day := o.Zone.day(t) // windows begin and end with days
		return Span{o.Zone.begin(day), o.Zone.begin(day + 1)}
	}
	every := o.every()
	start, end := floorTo(t, every), floorTo(t-o.Size, every)+o.Size // the last ones at or below t
	return Span{max(start, end), min(start, end) + every}
}

// every is the time between the starts of windows.
func (o *Output) every() int64 {
	if o.Every == 0 {
		return o.Size
	}
	return o.Every
}

// most is the greatest number of windows that hold one time.
func (o *Output) most() int64 { return (o.Size + o.every() - 1) / o.every() }

// floorTo is the greatest multiple of step that isn't above t.
func floorTo(t, step int64) int64 {
	s := t % step
	if s < 0 {
		s += step
	}
	return t - s
}

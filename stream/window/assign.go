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

// Session says whether the output's windows are sessions.
func (o *Output) Session() bool { return o.Gap > 0 }

// Assign appends the windows that hold time t (ms) to dst, ascending by start. Of an output of sessions it is the one
// aligned span that its sessions are cut at.
func (o *Output) Assign(t int64, dst []Span) []Span {
	start := o.Start(t)
	return append(dst, Span{start, start + o.Size})
}

// Start is the start of the tumbling window that holds time t (ms): the greatest multiple of Size that isn't above t,
// also for times before the epoch.
func (o *Output) Start(t int64) int64 {
	s := t % o.Size
	if s < 0 {
		s += o.Size
	}
	return t - s
}

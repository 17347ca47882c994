package window

// EngineOptions are the settings of an engine that don't decide results.
type EngineOptions struct {
	MemoryMax int64 // bytes; 0 (default): no limit. With a Backing, what is clean is evicted at Write; without one, Add fails with ErrMemory
}

// Engine holds the open windows of one task. It is not safe for concurrent use. After any error it is unusable and
// returns that error for ever: drop it and build another from the Backing.
type Engine struct{}

// NewEngine makes an engine. With a Backing it finds the open windows of an earlier one; back may be nil.
func NewEngine(outputs []Output, back Backing, opts EngineOptions) (*Engine, error) {
	panic("not yet")
}

// Add judges one event and aggregates it. watermark is that of the event's own source partition before this event.
func (e *Engine) Add(in *Input, watermark int64) (Verdict, error) { panic("not yet") }

// Close closes the windows whose end + lateness <= watermark, which is the task's: the minimum of its partitions'.
// It emits one Result for each group key in the order (output, start, key bytes).
func (e *Engine) Close(watermark int64, emit func(*Result) error) error { panic("not yet") }

// Write hands all changes since the last Write to w. Afterwards the engine counts them as stored.
func (e *Engine) Write(w Writer) error { panic("not yet") }

// OpenWindows is the number of open windows of each output. A window is open from its first event on.
func (e *Engine) OpenWindows() (perOutput []int) { panic("not yet") }

// Bound is the watermark that closes every open window whose end is not above limit (ms): the highest end +
// lateness among them. ok is false when there is none.
func (e *Engine) Bound(limit int64) (bound int64, ok bool) { panic("not yet") }

// OpenWindow is one open window.
type OpenWindow struct {
	Output     int
	Start, End int64 // ms
	Closes     int64 // ms: the watermark that closes it, End + lateness
}

// OldestOpen is the open window with the lowest start; of equals, that of the first output.
func (e *Engine) OldestOpen() (w OpenWindow, ok bool) { panic("not yet") }

// EachOpen calls fn with every open window in the order (output, start), until fn returns false.
func (e *Engine) EachOpen(fn func(OpenWindow) bool) { panic("not yet") }

// Memory is the number of bytes that the engine holds.
func (e *Engine) Memory() int64 { panic("not yet") }

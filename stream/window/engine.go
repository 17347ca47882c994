package window

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
)

// EngineOptions are the settings of an engine that don't decide results.
type EngineOptions struct {
	// MemoryMax is a limit in bytes; 0 (default): none. With a Backing, Write evicts what is clean until the engine
	// is below three quarters of it; what has changed since the last Write stays, so whoever sees Memory above
	// MemoryMax commits early. Without a Backing, Add fails with ErrMemory.
	MemoryMax int64

	// OpenMax is a limit of open results, windows times groups over all outputs; 0 (default): none. An event that
	// would open a group beyond it is refused with ErrOpenWindows.
	OpenMax int64

	// Starts, when it isn't empty, says which windows the caller wants: of an event that is in windows which start within
	// and in others, only the former are kept. For whoever computes some windows of hopping outputs, in memory. Sessions
	// take no notice of it.
	Starts Span
}

// Engine holds the open windows of one task. It is not safe for concurrent use. After any error but
// ErrOpenWindows it is unusable and returns that error for ever: drop it and build another from the Backing.
type Engine struct {
	outs    []output
	all     uint64  // every output
	single  bool    // no output has several windows of a time
	misses  []int32 // of the last Verdict
	seen    dedup
	back    Backing
	limit   int64
	openMax int64
	mem     memory
	seed    maphash.Seed

	closed    int64   // highest watermark that Close was given
	hash      [8]byte // of the outputs' layout
	wroteMeta bool    // the Backing's meta key tells of metaClosed
	meta      int64   // the closed watermark that it tells of
	epoch     uint64  // number of Writes
	err       error   // the first error

	key    groupKey // of the event being added
	keyBuf []byte
	valBuf []byte
	order  []sortKey
	result Result
}

// NewEngine makes an engine. With a Backing it finds the windows that an earlier engine with the same outputs has
// left open; back may be nil: then all state is in memory.
func NewEngine(outputs []Output, back Backing, opts EngineOptions) (*Engine, error) {
	if len(outputs) == 0 || len(outputs) > OutputsMax {
		return nil, fmt.Errorf("%d outputs: from 1 to %d", len(outputs), OutputsMax)
	}
	if opts.MemoryMax < 0 || opts.OpenMax < 0 {
		return nil, fmt.Errorf("limits of %d bytes and %d open windows: neither is below 0", opts.MemoryMax, opts.OpenMax)
	}
	e := &Engine{
		back: back, limit: opts.MemoryMax, openMax: opts.OpenMax, mem: newMemory(opts.MemoryMax), seed: maphash.MakeSeed(),
		all: 1<<len(outputs) - 1, closed: NoWatermark, meta: NoWatermark, epoch: 1,
	}
	e.outs = make([]output, len(outputs))
	for i := range outputs {
		o := &e.outs[i]
		o.Output, o.wanted = outputs[i], opts.Starts
		if err := o.setUp(); err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
		if o.Session() {
			o.sess = newSessions(e, i)
		}
	}
	e.hash = layoutHash(e.outs)
	if err := e.pack(); err != nil {
		return nil, err
	}
	if back == nil {
		return e, nil
	}
	if err := e.discover(); err != nil {
		return nil, fmt.Errorf("read window state: %w", err)
	}
	return e, nil
}

// pack gives each output its bits of the words that dedup keeps.
func (e *Engine) pack() error {
	e.single, e.misses = true, make([]int32, len(e.outs))
	d := dedup{salt: rand.Uint64()}
	bits := uint(0)
	for i := range e.outs {
		o := &e.outs[i]
		o.shift = bits
		bits += o.width
		if bits <= wordBits {
			d.fields |= (1<<o.width - 1) << o.shift
			d.all |= uint64(o.WindowsPerEvent()) << o.shift
		}
		e.single = e.single && o.WindowsPerEvent() == 1
	}
	if bits > wordBits {
		return fmt.Errorf("hopping windows overlap too much: the outputs need %d bits to remember which windows have counted an event, at most %d; let windows start less often, or split the pipeline", bits, wordBits)
	}
	d.shape = idShape(bits)
	e.seen = d
	return nil
}

// SetMemoryMax sets EngineOptions.MemoryMax, from the next Write on, and how much of it may lie ready for windows to come.
func (e *Engine) SetMemoryMax(n, idle int64) {
	e.limit = n
	e.mem.setLimit(n)
	e.mem.idleMax = min(e.mem.idleMax, idle)
	if e.mem.idle > e.mem.idleMax {
		e.mem.trim()
	}
}

// Memory is the number of bytes that the engine holds.
func (e *Engine) Memory() int64 { return e.mem.held() }

// fail makes the engine unusable: its state may be half changed.
func (e *Engine) fail(err error) error {
	if e.err == nil {
		e.err = err
	}
	return err
}

package pipeline

import (
	"math/bits"
	"time"

	"github.com/tidemark-io/tidemark/stream/window"
)

func (p *Pipeline) checkWindow(fs *faultSet, path string, w *Window) {
	kinds := 0
	for _, given := range []bool{w.Tumbling != 0 || p.given(path+".tumbling"), w.Hopping != nil || p.given(path+".hopping"), w.Session != nil || p.given(path+".session")} {
		if given {
			kinds++
		}
	}
	fs.required(path, kinds == 0, windowForm)
	if kinds > 1 {
		fs.add(path, complain("keep one of tumbling, hopping and session; another output can have the other", "has several kinds of windows"))
		return
	}
	switch {
	case w.Hopping != nil:
		p.checkHopping(fs, path+".hopping", w.Hopping)
	case w.Session != nil:
		p.checkSession(fs, path+".session", w.Session)
	case w.Tumbling != 0 || p.given(path+".tumbling"):
		windowSize(fs, path+".tumbling", w.Tumbling)
	}
	if kinds == 1 && fs.clean(path) {
		w.checkZone(fs, path)
	}
}

// windowSize checks a length of time that must be more than nothing.
func windowSize(fs *faultSet, path string, d time.Duration) {
	switch {
	case d < time.Millisecond || d > windowMax:
		fs.add(path, complain("write more than 0, and at most 366d", "%s is out of range", formatDuration(d)))
	case d%time.Millisecond != 0:
		fs.add(path, complain("milliseconds are the finest", "%s is no whole number of milliseconds", formatDuration(d)))
	}
}

func (p *Pipeline) checkHopping(fs *faultSet, path string, h *Hopping) {
	fs.required(path+".size", h.Size == 0 && !p.given(path+".size"), "write how long a window is, as in {size: 1h, every: 15m}")
	fs.required(path+".every", h.Every == 0 && !p.given(path+".every"), "write how often a window begins, as in {size: 1h, every: 15m}")
	windowSize(fs, path+".size", h.Size)
	windowSize(fs, path+".every", h.Every)
	if !fs.clean(path+".size") || !fs.clean(path+".every") {
		return
	}
	if h.Every > h.Size {
		fs.add(path+".every", complain("write at most size: events between the windows would be in none", "%s is longer than size, %s", formatDuration(h.Every), formatDuration(h.Size)))
	} else if n := h.windows(); n > windowsMax {
		fs.add(path+".every", complain("write "+formatDuration(roundUp(h.Size, windowsMax))+" or more", "each event would be in %d windows, more than %d", n, windowsMax))
	}
}

// windows is in how many windows an event is, at most.
func (h *Hopping) windows() int64 { return int64((h.Size + h.Every - 1) / h.Every) }

// roundUp is a duration that n of which cover size, in whole units of a size people would write.
func roundUp(size time.Duration, n int64) time.Duration {
	least := (size + time.Duration(n) - 1) / time.Duration(n)
	for _, u := range durationUnits {
		if least >= u.unit {
			return (least + u.unit - 1) / u.unit * u.unit
		}
	}
	return time.Millisecond
}

func (p *Pipeline) checkSession(fs *faultSet, path string, s *Session) {
	fs.required(path+".gap", s.Gap == 0 && !p.given(path+".gap"), "write how much silence ends a session, as in {gap: 30m, within: 1d}")
	fs.required(path+".within", s.Within == 0 && !p.given(path+".within"), "write at the ends of which aligned span sessions are cut, as in {gap: 30m, within: 1d}: "+
		"a session without bound could never be closed or corrected")
	windowSize(fs, path+".gap", s.Gap)
	windowSize(fs, path+".within", s.Within)
	if fs.clean(path+".gap") && fs.clean(path+".within") && s.Gap >= s.Within {
		fs.add(path+".gap", complain("write a gap shorter than within, at whose ends sessions are cut", "%s is not less than within, %s", formatDuration(s.Gap), formatDuration(s.Within)))
	}
}

// checkWindowsPerEvent checks that what is kept to tell copies of an event fits: one bit for an output whose windows don't
// overlap, and of one with hopping windows as many as its windows per event take as a number.
func (p *Pipeline) checkWindowsPerEvent(fs *faultSet) {
	sum := 0
	for i := range p.Outputs {
		n := 1
		if h := p.Outputs[i].Window.Hopping; h != nil {
			path := element("outputs", i) + ".window.hopping"
			if !fs.clean(path+".size") || !fs.clean(path+".every") || h.Every <= 0 {
				return
			}
			n = bits.Len64(uint64(h.windows()))
		}
		if sum += n; sum > dedupBits && i < window.OutputsMax {
			fs.add(element("outputs", i)+".window", complain("hop less often, or split the pipeline in two: each output takes 1, or with hopping windows 2 for up to 3 windows per event, 4 for up to 15, 7 for up to 127, 10 for up to 1000",
				"the outputs up to this one keep %d bits per event to tell copies, more than %d", sum, dedupBits))
			return
		}
	}
}

// checkEmit checks when results are published.
func (p *Pipeline) checkEmit(fs *faultSet, path string, o *Output) {
	oneOf(fs, path, o.Emit, EmitOnClose, EmitOnUpdate)
	every := path + "." + EmitOnUpdate
	switch {
	case o.Emit != EmitOnUpdate:
		if o.UpdateEvery != 0 {
			fs.add(every, complain("write emit: {on_update: 10s}", "a duration goes with on_update only"))
		}
	case o.Window.Session != nil:
		fs.add(every, complain("write emit: on_close, or use tumbling windows: a session that is open has no end yet by which its result could be told from later ones", "sessions are published when they close"))
	case o.UpdateEvery < updateMin || o.UpdateEvery > operationalMax:
		fs.add(every, complain("write "+formatDuration(updateMin)+" to "+formatDuration(operationalMax), "%s is out of range", formatDuration(o.UpdateEvery)))
	}
}

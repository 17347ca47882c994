// Package progress shows how far a long step has come, on stderr.
//
// Invariants:
//
//  1. On a terminal it draws over one line; anywhere else (a log file, a CI job) it writes a few whole lines and
//     never a carriage return.
//  2. It never slows or fails the work it tells of: a broken terminal is ignored.
//
// It upholds none of the laws itself.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	width        = 28
	redrawEvery  = 100 * time.Millisecond
	linesOfSteps = 4 // off a terminal: a line each quarter
	countEvery   = 100_000
)

// Options say where and how a Bar is shown.
type Options struct {
	W        io.Writer
	Terminal bool // draw over one line
	Quiet    bool // show nothing
	Label    string
	Total    int64 // 0 when unknown
	Now      func() time.Time
}

// Bar is the progress of one step. It is safe for concurrent use.
type Bar struct {
	o     Options
	start time.Time

	mu    sync.Mutex
	done  int64
	drawn time.Time
	shown int64 // steps for which a line was written
	line  int   // width of the line on the terminal
}

// Start begins to show a step.
func Start(o Options) *Bar {
	b := &Bar{o: o, start: o.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.show(o.Terminal)
	return b
}

// Set tells how much is done. It never goes back.
func (b *Bar) Set(done int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done > b.done {
		b.done = done
		b.show(false)
	}
}

// Of tells how much of how much is done, for steps whose total becomes known on the way.
func (b *Bar) Of(done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done, b.o.Total = max(b.done, done), max(b.o.Total, total)
	b.show(false)
}

// Add tells that n more are done.
func (b *Bar) Add(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done += n
	b.show(false)
}

// End takes the bar away, so that the next line stands where it was. Off a terminal it does nothing.
func (b *Bar) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.o.Quiet || !b.o.Terminal {
		return
	}
	b.write("\r" + strings.Repeat(" ", b.line) + "\r")
	b.o.Quiet = true
}

func (b *Bar) show(now bool) {
	switch {
	case b.o.Quiet:
	case b.o.Terminal:
		if at := b.o.Now(); now || at.Sub(b.drawn) >= redrawEvery {
			b.drawn = at
			b.draw(at)
		}
	default:
		if step := b.step(); step > b.shown {
			b.shown = step
			b.write(fmt.Sprintf("%s: %s\n", b.o.Label, b.told()))
		}
	}
}

func (b *Bar) step() int64 {
	if b.o.Total > 0 {
		return min(b.done, b.o.Total) * linesOfSteps / b.o.Total
	}
	return b.done / countEvery
}

func (b *Bar) told() string {
	if b.o.Total > 0 {
		return fmt.Sprintf("%d of %d", b.done, b.o.Total)
	}
	return fmt.Sprint(b.done)
}

func (b *Bar) draw(at time.Time) {
	text := b.o.Label + "  "
	if b.o.Total > 0 {
		full := int(min(b.done, b.o.Total) * width / b.o.Total)
		text += "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] "
	}
	text += b.told()
	if took := at.Sub(b.start); took >= time.Second {
		text += "  " + took.Truncate(time.Second).String()
	}
	pad := max(0, b.line-len(text))
	b.line = len(text)
	b.write("\r" + text + strings.Repeat(" ", pad))
}

func (b *Bar) write(s string) {
	if _, err := io.WriteString(b.o.W, s); err != nil {
		b.o.Quiet = true // invariant 2: nobody is looking any more
	}
}

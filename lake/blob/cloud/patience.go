package cloud

import (
	"context"
	"errors"
	"time"
)

// errNoAnswer is the cause of a context that a request's deadline ended.
var errNoAnswer = errors.New("no answer in time")

// patience is the deadline of one request, which can be moved when it turns out how much there is to carry.
type patience struct {
	parent context.Context
	cancel context.CancelCauseFunc
	stop   func()
}

// wait derives the context of one request that carries n bytes, as far as is known.
func (o *Options) wait(parent context.Context, n int64) (context.Context, *patience) {
	ctx, cancel := context.WithCancelCause(parent)
	p := &patience{parent: parent, cancel: cancel, stop: func() {}}
	p.allow(o.time(n))
	return ctx, p
}

// time is what a request that carries n bytes may take.
func (o *Options) time(n int64) time.Duration {
	seconds := min(n/o.BytesPerSecond, 24*3600)
	return o.Patience + time.Duration(seconds)*time.Second
}

// allow begins the time anew.
func (p *patience) allow(d time.Duration) {
	p.stop()
	clock, release := context.WithTimeout(p.parent, d)
	forget := context.AfterFunc(clock, func() {
		if p.parent.Err() == nil {
			p.cancel(errNoAnswer)
		}
	})
	p.stop = func() {
		forget()
		release()
	}
}

// end releases the context.
func (p *patience) end() {
	p.stop()
	p.cancel(nil)
}

package realkafka

import (
	"context"
	"net"
	"time"
)

// Weather is what the network between the clients and the broker is like, for all connections through a Proxy. The zero value
// is a fine day.
type Weather struct {
	// Delay is how long each frame takes, in each direction, one after the other.
	Delay time.Duration
	// BytesPerSecond bounds each direction of each connection; 0 doesn't.
	BytesPerSecond int64
	// Held keeps everything back until the weather changes. Then it arrives, as it does by TCP after an outage, and does so
	// even if its sender has long given up the connection.
	Held bool
	// Lost swallows everything, and the connection is good for nothing ever after; neither end learns of it.
	Lost bool
}

// SetWeather changes the weather from now on.
func (p *Proxy) SetWeather(w Weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
	close(p.changed)
	p.changed = make(chan struct{})
}

// Reset breaks the connections that are chosen, by a TCP reset, and says how many it broke.
func (p *Proxy) Reset(choose func() bool) int {
	return p.strike(choose, func(l *link) {
		for _, end := range []net.Conn{l.client, l.broker} {
			if tcp, ok := end.(*net.TCPConn); ok {
				tcp.SetLinger(0) // an error is that of a connection which is broken already
			}
		}
		l.hangUp()
	})
}

// Forget makes the connections that are chosen half open: each end believes that the other is there, and nothing arrives.
func (p *Proxy) Forget(choose func() bool) int {
	return p.strike(choose, (*link).forget)
}

func (p *Proxy) strike(choose func() bool, how func(*link)) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for l := range p.links {
		if choose() {
			how(l)
			n++
		}
	}
	return n
}

func (l *link) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
}

// endure is what a frame goes through on its way. It reports whether it arrives.
func (l *link) endure(size int) bool {
	for {
		l.p.mu.Lock()
		w, changed := l.p.weather, l.p.changed
		l.p.mu.Unlock()
		if w.Lost {
			l.forget()
		}
		l.mu.Lock()
		gone := l.gone
		l.mu.Unlock()
		if gone {
			return false
		}
		if !w.Held {
			return l.p.wait(w.takes(size))
		}
		select {
		case <-changed:
		case <-l.p.closed:
			return false
		}
	}
}

// takes is how long a frame of a size is on its way.
func (w *Weather) takes(size int) time.Duration {
	d := w.Delay
	if w.BytesPerSecond > 0 {
		d += time.Duration(int64(size) * int64(time.Second) / w.BytesPerSecond)
	}
	return d
}

// wait reports false if the proxy was closed meanwhile.
func (p *Proxy) wait(d time.Duration) bool {
	if d == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	select {
	case <-ctx.Done():
		return true
	case <-p.closed:
		return false
	}
}

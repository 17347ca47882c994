package sim

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is a network in memory that virtual time passes in: nobody who waits for it waits for the operating system.
type network struct {
	mu        sync.Mutex
	listeners map[string]*listener
}

func newNetwork() *network { return &network{listeners: map[string]*listener{}} }

type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }

type listener struct {
	at     address
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (n *network) listen(_, at string) (net.Listener, error) {
	l := &listener{at: address(at), accept: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[at] = l
	return l, nil
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return l.at }

// dial connects without any faults.
func (n *network) dial(ctx context.Context, _, at string) (net.Conn, error) {
	client, server := pair(at)
	return client, n.offer(ctx, at, server)
}

func (n *network) offer(ctx context.Context, at string, server net.Conn) error {
	n.mu.Lock()
	l := n.listeners[at]
	n.mu.Unlock()
	if l == nil {
		return broken("dial", syscall.ECONNREFUSED)
	}
	select {
	case l.accept <- server:
		return nil
	case <-l.closed:
		return broken("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func broken(op string, err syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, err)}
}

// pipe is one direction of a connection. What is written arrives in order, each piece not before its time.
type pipe struct {
	mu       sync.Mutex
	pieces   []piece
	end      error // what a reader gets behind the last piece
	deadline time.Time
	wake     chan struct{}
}

type piece struct {
	data []byte
	at   time.Time
}

func newPipe() *pipe { return &pipe{wake: make(chan struct{}, 1)} }

func (p *pipe) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pipe) write(data []byte, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end != nil {
		return false
	}
	if n := len(p.pieces); n > 0 && p.pieces[n-1].at.After(at) {
		at = p.pieces[n-1].at
	}
	p.pieces = append(p.pieces, piece{append([]byte(nil), data...), at})
	p.signal()
	return true
}

// close ends the direction. What is under way still arrives, unless it is dropped.
func (p *pipe) close(why error, drop bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		p.end = why
	}
	if drop {
		p.pieces = nil
	}
	p.signal()
}

func (p *pipe) setDeadline(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = at
	p.signal()
}

// take returns what can be read now, or until when to wait for it.
func (p *pipe) take(b []byte) (n int, err error, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.deadline.IsZero() && !now.Before(p.deadline) {
		return 0, os.ErrDeadlineExceeded, until
	}
	if len(p.pieces) > 0 {
		if first := &p.pieces[0]; first.at.After(now) {
			until = first.at
		} else {
			n = copy(b, first.data)
			if first.data = first.data[n:]; len(first.data) == 0 {
				p.pieces = p.pieces[1:]
			}
			return n, nil, until
		}
	} else if p.end != nil {
		return 0, p.end, until
	}
	if !p.deadline.IsZero() && (until.IsZero() || p.deadline.Before(until)) {
		until = p.deadline
	}
	return 0, nil, until
}

func (p *pipe) read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err, until := p.take(b)
		if n > 0 || err != nil {
			return n, err
		}
		if until.IsZero() {
			<-p.wake
			continue
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-p.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// end is one end of a connection.
type end struct {
	in, out *pipe
	at      address
}

func pair(at string) (client, server *end) {
	a, b := newPipe(), newPipe()
	return &end{in: a, out: b, at: address(at)}, &end{in: b, out: a, at: address(at)}
}

func (e *end) Read(b []byte) (int, error) { return e.in.read(b) }

func (e *end) Write(b []byte) (int, error) {
	if !e.out.write(b, time.Time{}) {
		return 0, broken("write", syscall.EPIPE)
	}
	return len(b), nil
}

func (e *end) Close() error {
	e.in.close(net.ErrClosed, true)
	e.out.close(io.EOF, false)
	return nil
}

func (e *end) LocalAddr() net.Addr  { return e.at }
func (e *end) RemoteAddr() net.Addr { return e.at }

func (e *end) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.setDeadline(t)
	return nil
}

func (e *end) SetWriteDeadline(time.Time) error { return nil } // writing never waits

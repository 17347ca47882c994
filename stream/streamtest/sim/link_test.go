package sim

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fate is what becomes of one request.
type fate uint8

const (
	pass        fate = iota
	loseRequest      // the connection breaks before the broker has it
	loseAnswer       // the connection breaks after the broker has answered
	holeBefore       // nothing arrives any more, and nothing breaks
	holeAfter        // the broker has it; no answer ever comes
	lateRequest      // it arrives later, perhaps after its sender has given up
	lateAnswer       //
	fates            // how many are drawn
	wrongAnswer      // the broker has done it, and says something else: only chosen
)

// fateNames are for the tally.
var fateNames = [fates]string{"", "request lost", "answer lost", "silence before", "silence after", "request late", "answer late"}

// weather says how often things go wrong on the way to the broker. It is shared by all links of a life.
type weather struct {
	mu       sync.Mutex
	rng      *rand.Rand
	rate     float64 // of all requests
	favoured int16   // the key of requests that are hit far more often; -1 is none
	often    float64
	refuse   float64 // of all connections
	late     time.Duration
	lag      time.Duration // what every request takes at most when nothing is wrong
	calm     bool
	met      map[fate]int
	byKey    map[int16]int
	requests int // sent by processes
	commits  int // of them, those that end a transaction
	// chosen decides instead of chance, if set; spoil makes a wrong answer.
	chosen func(key int16) (fate, time.Duration)
	spoil  func(key, version int16, answer []byte) []byte
}

func (w *weather) draw(key int16) (fate, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	w.byKey[key]++
	if key == int16(kmsg.EndTxn) {
		w.commits++
	}
	if w.chosen != nil {
		return w.chosen(key)
	}
	rate := w.rate
	if key == w.favoured {
		rate = w.often
	}
	if w.calm || rate == 0 || w.rng.Float64() >= rate {
		if w.lag > 0 && !w.calm {
			return pass, time.Duration(w.rng.Int64N(int64(w.lag)))
		}
		return pass, 0
	}
	f := loseRequest + fate(w.rng.IntN(int(fates-loseRequest)))
	w.met[f]++
	return f, time.Duration(w.rng.Int64N(int64(w.late)))
}

func (w *weather) refuses() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.calm && w.refuse > 0 && w.rng.Float64() < w.refuse
}

func (w *weather) ends() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = true
}

// link is one process's way to the brokers.
type link struct {
	net     *network
	weather *weather
	// before and after are called around the delivery of each request, if set.
	before, after func(key int16)

	mu     sync.Mutex
	dead   bool
	thaws  time.Time // nothing arrives before
	conns  map[*wire]struct{}
	counts int
}

func newLink(n *network, w *weather) *link {
	return &link{net: n, weather: w, conns: map[*wire]struct{}{}}
}

// wire is a connection of a link.
type wire struct {
	*end
	link   *link
	server *end

	mu   sync.Mutex
	hole bool
	fate map[int32]fated // answers that will not come as they should, by correlation id
}

type fated struct {
	fate         fate
	late         time.Duration
	key, version int16
}

func (l *link) dial(ctx context.Context, _, at string) (net.Conn, error) {
	l.mu.Lock()
	dead := l.dead
	l.mu.Unlock()
	if dead {
		<-ctx.Done() // the dead try nothing again and again
		return nil, ctx.Err()
	}
	if l.weather.refuses() {
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	client, server := pair(at)
	w := &wire{end: client, link: l, server: server, fate: map[int32]fated{}}
	if err := l.net.offer(ctx, at, &answering{server, w}); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		w.sever()
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	l.conns[w] = struct{}{}
	return w, nil
}

// cut ends every connection and lets no other be made. What is under way to the broker arrives.
func (l *link) cut() {
	l.mu.Lock()
	l.dead = true
	conns := l.conns
	l.conns = map[*wire]struct{}{}
	l.mu.Unlock()
	for w := range conns {
		w.sever()
	}
}

// freeze holds everything up until a time, both ways.
func (l *link) freeze(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.thaws = until
}

func (l *link) frozen() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.thaws
}

// sever breaks the connection as a reset does.
func (w *wire) sever() {
	w.in.close(broken("read", syscall.ECONNRESET), true)
	w.out.close(io.EOF, false)
}

// Write sends one request: the client writes them whole.
func (w *wire) Write(b []byte) (int, error) {
	key := int16(binary.BigEndian.Uint16(b[4:]))
	corr := int32(binary.BigEndian.Uint32(b[8:]))
	if w.link.before != nil {
		w.link.before(key)
	}
	f, late := w.link.weather.draw(key)
	at := w.link.frozen()
	w.mu.Lock()
	switch f {
	case loseRequest:
		w.mu.Unlock()
		w.sever()
		return len(b), nil
	case holeBefore:
		w.hole = true
	case loseAnswer, holeAfter, lateAnswer, wrongAnswer:
		w.fate[corr] = fated{f, late, key, int16(binary.BigEndian.Uint16(b[6:]))}
	case lateRequest:
		at = time.Now().Add(late)
	case pass:
		if late > 0 && at.IsZero() {
			at = time.Now().Add(late)
		}
	}
	hole := w.hole
	w.mu.Unlock()
	if !hole && !w.out.write(b, at) {
		return 0, broken("write", syscall.EPIPE)
	}
	if w.link.after != nil {
		w.link.after(key)
	}
	return len(b), nil
}

func (w *wire) Close() error {
	w.link.mu.Lock()
	delete(w.link.conns, w)
	w.link.mu.Unlock()
	return w.end.Close()
}

// answering is the broker's end of a wire.
type answering struct {
	*end
	wire *wire
}

// Write sends one answer: the broker writes them whole.
func (a *answering) Write(b []byte) (int, error) {
	corr := int32(binary.BigEndian.Uint32(b[4:]))
	w := a.wire
	w.mu.Lock()
	f := w.fate[corr]
	delete(w.fate, corr)
	w.hole = w.hole || f.fate == holeAfter
	hole := w.hole
	w.mu.Unlock()
	at := w.link.frozen()
	switch {
	case hole:
		return len(b), nil
	case f.fate == loseAnswer:
		w.sever()
		return len(b), nil
	case f.fate == lateAnswer:
		at = time.Now().Add(f.late)
	case f.fate == wrongAnswer:
		b = w.link.weather.spoil(f.key, f.version, b)
	}
	if !a.out.write(b, at) {
		return 0, broken("write", syscall.EPIPE)
	}
	return len(b), nil
}

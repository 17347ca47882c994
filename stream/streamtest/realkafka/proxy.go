package realkafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// frameMax bounds a request or response that goes through a Proxy.
const frameMax = 128 << 20

// Fate is what a Proxy does to requests of a kind.
type Fate int

const (
	// Pass forwards request and response.
	Pass Fate = iota
	// LoseRequest breaks the connection instead of forwarding the request: the broker never sees it.
	LoseRequest
	// LoseResponse forwards the request, and breaks the connection when the broker answers it.
	LoseResponse
	// Swallow forwards the request and keeps its response, and all that follow on the connection, to itself: silence.
	Swallow
)

// Proxy stands between clients and a broker, and understands enough of Kafka's protocol to lose chosen requests or
// responses. Clients that start at Addr stay behind it: the broker advertises it to them. It outlives a restart of the broker.
type Proxy struct {
	addr, to string
	listener net.Listener
	pumps    sync.WaitGroup
	closed   chan struct{}

	mu      sync.Mutex
	fates   map[int16]Fate
	met     map[int16]int
	asked   map[int16]int
	strikes map[int16]*Strike
	links   map[*link]struct{}
	weather Weather
	changed chan struct{} // closed when the weather changes
	ended   bool
}

// Proxy starts the broker's proxy, which ends with the test. A broker has one at a time.
func (b *Broker) Proxy(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{
		addr:    fmt.Sprintf("127.0.0.1:%d", b.ports.proxy),
		to:      fmt.Sprintf("127.0.0.1:%d", b.ports.proxied),
		closed:  make(chan struct{}),
		fates:   make(map[int16]Fate),
		met:     make(map[int16]int),
		asked:   make(map[int16]int),
		strikes: make(map[int16]*Strike),
		links:   make(map[*link]struct{}),
		changed: make(chan struct{}),
	}
	var err error
	if p.listener, err = net.Listen("tcp", p.addr); err != nil {
		t.Fatalf("proxy: %v", err)
	}
	p.pumps.Add(1)
	go p.accept()
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.addr }

// Set decides the fate of requests with Kafka's api key (EndTxn is 26) from now on.
func (p *Proxy) Set(key int16, fate Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fates[key] = fate
}

// Met is how often a fate other than Pass has met requests with the key.
func (p *Proxy) Met(key int16) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.met[key]
}

func (p *Proxy) fate(key int16) Fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fates[key]
}

func (p *Proxy) note(key int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.met[key]++
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.ended = true
	close(p.closed)
	p.listener.Close()
	for l := range p.links {
		l.hangUp()
	}
	p.mu.Unlock()
	p.pumps.Wait()
}

// keep remembers a connection so that close can end it; false once the proxy is closed.
func (p *Proxy) keep(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		l.hangUp()
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) drop(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.hangUp()
	delete(p.links, l)
}

func (p *Proxy) accept() {
	defer p.pumps.Done()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", p.to)
		if err != nil {
			client.Close()
			continue
		}
		l := &link{p: p, client: client, broker: broker, keys: make(map[uint32]int16), struck: make(map[uint32]*Strike)}
		if !p.keep(l) {
			return
		}
		p.pumps.Add(2)
		go l.pump(broker, client, l.request)
		go l.pump(client, broker, l.response)
	}
}

var errLost = errors.New("lost on purpose")

// link is one connection through the proxy.
type link struct {
	p              *Proxy
	client, broker net.Conn

	mu     sync.Mutex
	keys   map[uint32]int16 // by correlation id, of requests that await their response
	struck map[uint32]*Strike
	silent bool          // responses are swallowed
	late   time.Duration // how long the next response is held back
	gone   bool          // everything is, and neither end learns of it
}

func (l *link) hangUp() {
	l.client.Close()
	l.broker.Close()
}

// pump moves frames until one is not to be moved or an end breaks; then it breaks both.
func (l *link) pump(to io.Writer, from io.Reader, look func([]byte) error) {
	defer l.p.pumps.Done()
	defer l.p.drop(l)
	for {
		frame, err := readFrame(from)
		if err != nil {
			return
		}
		switch err := look(frame[4:]); {
		case errors.Is(err, errLost):
			return
		case err != nil:
			continue // swallowed
		}
		if !l.endure(len(frame)) || !l.p.wait(l.held(from)) {
			continue
		}
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}

// request looks at a request: key int16, version int16, correlation id int32, ...
func (l *link) request(body []byte) error {
	if len(body) < 8 {
		return errLost
	}
	key := int16(binary.BigEndian.Uint16(body))
	l.mu.Lock()
	l.keys[binary.BigEndian.Uint32(body[4:])] = key
	l.mu.Unlock()
	if s := l.p.chosen(key); s != nil {
		return l.strike(s, binary.BigEndian.Uint32(body[4:]))
	}
	if l.p.fate(key) == LoseRequest {
		l.p.note(key)
		return errLost
	}
	return nil
}

var errSwallowed = errors.New("swallowed")

// response looks at a response: correlation id int32, ...
func (l *link) response(body []byte) error {
	id := binary.BigEndian.Uint32(body)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := l.keys[id]
	delete(l.keys, id)
	if s := l.struck[id]; s != nil {
		if s.Fate == LoseResponse {
			return errLost
		}
		l.late = s.ResponseLate
	}
	switch l.p.fate(key) {
	case LoseResponse:
		l.p.note(key)
		return errLost
	case Swallow:
		l.p.note(key)
		l.silent = true
	}
	if l.silent {
		return errSwallowed
	}
	return nil
}

// readFrame reads one frame: size int32, then as many bytes.
func readFrame(from io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > frameMax {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame := make([]byte, 4+size)
	copy(frame, head[:])
	_, err := io.ReadFull(from, frame[4:])
	return frame, err
}

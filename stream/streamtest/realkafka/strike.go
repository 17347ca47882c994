package realkafka

import (
	"io"
	"time"
)

// Strike is what becomes of one request.
type Strike struct {
	// After is how many requests of the key pass before.
	After int
	// Fate is LoseRequest, LoseResponse, or Pass: then it is late.
	Fate Fate
	// RequestLate and ResponseLate hold the request or its response back, and what follows it on its connection. A request
	// arrives even if its sender has given up meanwhile.
	RequestLate, ResponseLate time.Duration
}

// Strike lets one request with Kafka's api key meet something. Another for the same key takes its place.
func (p *Proxy) Strike(key int16, s Strike) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strikes[key] = &s
}

// Asked is how many requests with the key have come.
func (p *Proxy) Asked(key int16) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[key]
}

// chosen returns what a request is to meet, if it is the one, and counts it.
func (p *Proxy) chosen(key int16) *Strike {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[key]++
	s := p.strikes[key]
	if s == nil {
		return nil
	}
	if s.After > 0 {
		s.After--
		return nil
	}
	delete(p.strikes, key)
	p.met[key]++
	return s
}

// strike does to a request what it is to meet.
func (l *link) strike(s *Strike, id uint32) error {
	if s.Fate == LoseRequest {
		return errLost
	}
	l.mu.Lock()
	l.struck[id] = s
	l.mu.Unlock()
	l.p.wait(s.RequestLate)
	return nil
}

// held is how long the frame that was read from an end is held back.
func (l *link) held(from io.Reader) time.Duration {
	if from != io.Reader(l.broker) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	late := l.late
	l.late = 0
	return late
}

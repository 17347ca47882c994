package servers

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Proxy stands before a store and harms requests by a plan. It forwards what it lets through byte for byte, Host included, so
// that signatures hold.
type Proxy struct {
	target string
	server *httptest.Server
	pool   *http.Transport

	mu   sync.Mutex
	plan func(n int, r *http.Request) Harm // n counts requests from 1
	seen int
}

// Harm is what befalls one request.
type Harm struct {
	Status int           // answer so, without asking the store
	Lose   bool          // ask the store, and then close the connection without an answer
	Drop   bool          // close the connection without asking
	Half   bool          // give half of the answer's body, and close
	Wait   time.Duration // answer so much later
	Deaf   bool          // say of a put that was refused that it was done
}

// NewProxy starts a proxy that harms nothing.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{target: target, pool: &http.Transport{MaxIdleConnsPerHost: 16}, plan: func(int, *http.Request) Harm { return Harm{} }}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.server.Close()
		p.pool.CloseIdleConnections()
	})
	return p
}

// Harms sets the plan, and counts anew.
func (p *Proxy) Harms(plan func(n int, r *http.Request) Harm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.seen = plan, 0
}

// URL is where the proxy listens.
func (p *Proxy) URL() string { return p.server.URL }

func (p *Proxy) next(r *http.Request) Harm {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen++
	return p.plan(p.seen, r)
}

// ServeHTTP implements http.Handler. Panicking with ErrAbortHandler is how a handler closes a connection.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	h := p.next(r)
	if h.Wait > 0 {
		pause, cancel := context.WithTimeout(r.Context(), h.Wait)
		<-pause.Done()
		cancel()
	}
	switch {
	case h.Drop, r.Context().Err() != nil:
		panic(http.ErrAbortHandler)
	case h.Status > 0:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(h.Status)
		return
	}
	status, header, answer := p.forward(r, body)
	if h.Lose {
		panic(http.ErrAbortHandler)
	}
	if h.Deaf && status == http.StatusPreconditionFailed {
		status, header, answer = http.StatusOK, http.Header{"Etag": {`"x"`}}, nil
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	if h.Half {
		answer = answer[:len(answer)/2]
	}
	if _, err := w.Write(answer); err != nil || h.Half {
		panic(http.ErrAbortHandler)
	}
}

func (p *Proxy) forward(r *http.Request, body []byte) (int, http.Header, []byte) {
	// The store does what it was asked even if the client has gone.
	out, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, "http://"+p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	if len(body) == 0 {
		out.Body = http.NoBody
	}
	response, err := p.pool.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return response.StatusCode, response.Header, answer
}

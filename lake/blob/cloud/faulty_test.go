package cloud_test

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

// proxy stands before a store and harms requests by a plan. It forwards what it lets through byte for byte, Host included, so
// that signatures hold.
type proxy struct {
	target string
	server *httptest.Server

	mu   sync.Mutex
	plan func(n int, r *http.Request) harm // n counts requests from 1
	seen int
}

// harm is what befalls one request.
type harm struct {
	status int           // answer so, without asking the store
	lose   bool          // ask the store, and then close the connection without an answer
	drop   bool          // close the connection without asking
	half   bool          // give half of the answer's body, and close
	wait   time.Duration // answer so much later
	deaf   bool          // say of a put that was refused that it was done
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	p := &proxy{target: target, plan: func(int, *http.Request) harm { return harm{} }}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

// harms sets the plan, and counts anew.
func (p *proxy) harms(plan func(n int, r *http.Request) harm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.seen = plan, 0
}

func (p *proxy) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func (p *proxy) next(r *http.Request) harm {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen++
	return p.plan(p.seen, r)
}

// ServeHTTP implements http.Handler. Panicking with ErrAbortHandler is how a handler closes a connection.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	h := p.next(r)
	if h.wait > 0 {
		pause, cancel := context.WithTimeout(r.Context(), h.wait)
		<-pause.Done()
		cancel()
	}
	switch {
	case h.drop, r.Context().Err() != nil:
		panic(http.ErrAbortHandler)
	case h.status > 0:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(h.status)
		return
	}
	status, header, answer := p.forward(r, body)
	if h.lose {
		panic(http.ErrAbortHandler)
	}
	if h.deaf && status == http.StatusPreconditionFailed {
		status, header, answer = http.StatusOK, http.Header{"Etag": {`"x"`}}, nil
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	if h.half {
		answer = answer[:len(answer)/2]
	}
	if _, err := w.Write(answer); err != nil || h.half {
		panic(http.ErrAbortHandler)
	}
}

func (p *proxy) forward(r *http.Request, body []byte) (int, http.Header, []byte) {
	// The store does what it was asked even if the client has gone.
	out, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, "http://"+p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	if len(body) == 0 {
		out.Body = http.NoBody
	}
	response, err := http.DefaultTransport.RoundTrip(out)
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

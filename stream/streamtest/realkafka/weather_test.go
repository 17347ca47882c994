package realkafka

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// span is long enough for what would arrive at once to have arrived. Too short, it only finds less.
const span = 50 * time.Millisecond

// scene is a proxy with a client and, in the broker's place, the test.
type scene struct {
	*Proxy
	client, broker net.Conn
}

func newScene(t *testing.T) *scene {
	t.Helper()
	ports, err := freePorts(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{ports: ports}
	s := &scene{Proxy: b.Proxy(t)}
	l, err := net.Listen("tcp", s.to)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if s.client, err = net.Dial("tcp", s.Addr()); err != nil {
		t.Fatal(err)
	}
	if s.broker, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.client.Close(); s.broker.Close() })
	return s
}

// frame is a request with a key of 1 and a correlation id of 7.
func frame() []byte { return []byte{0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, 7} }

func write(t *testing.T, to net.Conn) {
	t.Helper()
	if _, err := to.Write(frame()); err != nil {
		t.Fatal(err)
	}
}

// read waits for a frame, for as long as it is given.
func read(t *testing.T, from net.Conn, wait time.Duration) error {
	t.Helper()
	deadline := time.Time{}
	if wait > 0 {
		deadline = time.Now().Add(wait)
	}
	if err := from.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	_, err := io.ReadFull(from, make([]byte, len(frame())))
	return err
}

func silent(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// What was sent during an outage arrives after it, though its sender has left: that is what makes late requests.
func TestHeldArrivesLater(t *testing.T) {
	s := newScene(t)
	s.SetWeather(Weather{Held: true})
	write(t, s.client)
	s.client.Close()
	if err := read(t, s.broker, span); !silent(err) {
		t.Fatalf("held back: %v", err)
	}
	s.SetWeather(Weather{Delay: time.Millisecond})
	if err := read(t, s.broker, 0); err != nil {
		t.Fatalf("after it: %v", err)
	}
}

// A connection that was lost once stays silent, and open.
func TestLostIsSilence(t *testing.T) {
	for name, lose := range map[string]func(*scene){
		"weather": func(s *scene) { s.SetWeather(Weather{Lost: true}) },
		"forget":  func(s *scene) { s.Forget(func() bool { return true }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			write(t, s.client)
			if err := read(t, s.broker, 0); err != nil {
				t.Fatal(err)
			}
			lose(s)
			write(t, s.client)
			if err := read(t, s.broker, span); !silent(err) {
				t.Fatalf("lost on the way there: %v", err)
			}
			s.SetWeather(Weather{})
			write(t, s.broker)
			if err := read(t, s.client, span); !silent(err) {
				t.Fatalf("lost on the way back: %v", err)
			}
		})
	}
}

func TestReset(t *testing.T) {
	s := newScene(t)
	write(t, s.client)
	if err := read(t, s.broker, 0); err != nil {
		t.Fatal(err)
	}
	if n := s.Reset(func() bool { return false }); n != 0 {
		t.Fatalf("%d were broken, none was chosen", n)
	}
	if n := s.Reset(func() bool { return true }); n != 1 {
		t.Fatalf("%d were broken", n)
	}
	for _, end := range []net.Conn{s.client, s.broker} {
		if err := read(t, end, 0); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("an end that was reset reads: %v", err)
		}
	}
}

func TestBandwidth(t *testing.T) {
	w := Weather{Delay: time.Second, BytesPerSecond: 100}
	if d := w.takes(250); d != 3500*time.Millisecond {
		t.Errorf("250 bytes take %s", d)
	}
}

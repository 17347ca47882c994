package realkafka

import (
	"errors"
	"io"
	"testing"
	"time"
)

// A strike meets the one request that it is for: it is lost, or late, and the next of its kind is not.
func TestStrikeMeetsOne(t *testing.T) {
	s := newScene(t)
	s.Strike(1, Strike{After: 1, RequestLate: 4 * span})
	write(t, s.client)
	if err := read(t, s.broker, 0); err != nil {
		t.Fatalf("the one before it: %v", err)
	}
	write(t, s.client)
	if err := read(t, s.broker, span); err == nil {
		t.Fatal("it was not held back")
	}
	if err := read(t, s.broker, 0); err != nil {
		t.Fatalf("it does not arrive: %v", err)
	}
	s.Strike(1, Strike{Fate: LoseRequest})
	write(t, s.client)
	if err := read(t, s.client, 0); !errors.Is(err, io.EOF) && err == nil {
		t.Fatal("the connection did not break")
	}
	if s.Met(1) != 2 || s.Asked(1) != 3 {
		t.Errorf("%d met, %d asked", s.Met(1), s.Asked(1))
	}
}

// A late answer arrives after its time, not before.
func TestStrikeHoldsTheAnswerBack(t *testing.T) {
	s := newScene(t)
	s.Strike(1, Strike{ResponseLate: 4 * span})
	write(t, s.client)
	if err := read(t, s.broker, 0); err != nil {
		t.Fatal(err)
	}
	answer := []byte{0, 0, 0, 4, 0, 0, 0, 7}
	began := time.Now()
	if _, err := s.broker.Write(answer); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s.client, answer); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 4*span {
		t.Errorf("it came after %s", took)
	}
}

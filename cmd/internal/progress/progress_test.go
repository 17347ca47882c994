package progress

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func fixed() time.Time { return time.Unix(0, 0) }

// Invariant 1: off a terminal a handful of whole lines, however many steps there are.
func TestSparseLinesOffATerminal(t *testing.T) {
	var out strings.Builder
	b := Start(Options{W: &out, Label: "producing", Total: 1000, Now: fixed})
	for range 1000 {
		b.Add(1)
	}
	b.End()
	want := "producing: 250 of 1000\nproducing: 500 of 1000\nproducing: 750 of 1000\nproducing: 1000 of 1000\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestUnknownTotal(t *testing.T) {
	var out strings.Builder
	b := Start(Options{W: &out, Label: "producing", Now: fixed})
	for range 250 {
		b.Add(1000)
	}
	if want := "producing: 100000\nproducing: 200000\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestTerminalDrawsOverOneLine(t *testing.T) {
	var out strings.Builder
	at := fixed()
	b := Start(Options{W: &out, Terminal: true, Label: "x", Total: 10, Now: func() time.Time { return at }})
	b.Set(4) // too soon after the first drawing
	at = at.Add(2 * time.Second)
	b.Set(5)
	b.Set(3) // never back
	b.End()
	want := "\rx  [............................] 0 of 10" +
		"\rx  [##############..............] 5 of 10  2s" +
		"\r" + strings.Repeat(" ", 45) + "\r"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
}

func TestQuiet(t *testing.T) {
	var out strings.Builder
	b := Start(Options{W: &out, Quiet: true, Terminal: true, Label: "x", Total: 10, Now: fixed})
	b.Set(10)
	b.End()
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}

type broken struct{ writes int }

func (w *broken) Write([]byte) (int, error) {
	w.writes++
	return 0, errors.New("gone")
}

// Invariant 2.
func TestBrokenTerminalIsIgnored(t *testing.T) {
	var w broken
	b := Start(Options{W: &w, Label: "x", Total: 4, Now: fixed})
	for range 4 {
		b.Add(1)
	}
	if w.writes != 1 {
		t.Errorf("%d writes to a broken terminal, want 1", w.writes)
	}
}

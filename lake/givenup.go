package lake

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"
)

// GivenUp says why a range of the log has no records: an operator accepted that they are lost. Retention had taken them
// before anybody landed them, so nobody knows how many there were.
type GivenUp struct {
	Pipeline string `json:"pipeline"` // that of which the order was
	Order    int64  `json:"order"`    // its number among the orders of the task of this partition
	Decision int64  `json:"decision"` // the first of the task's decisions that journal it
	At       int64  `json:"at"`       // wall clock when it was carried out, ms since the epoch UTC
	Reason   string `json:"reason"`   // as the operator gave it
}

// Hole is a range of a partition's log that was given up.
type Hole struct {
	Partition  int32
	First, End int64 // offsets [First, End)
	GivenUp    GivenUp
}

// givenUpBytesMax bounds a reason: it goes into every certificate of what it touches.
const givenUpBytesMax = 64 << 10

func (g *GivenUp) check() error {
	switch {
	case g.Pipeline == "" || g.Order < 1 || g.Decision < 1 || g.At < 0:
		return fmt.Errorf("it was given up by order %d, decision %d, of pipeline %q at %d", g.Order, g.Decision, g.Pipeline, g.At)
	case len(g.Reason) > givenUpBytesMax || !utf8.ValidString(g.Reason):
		return fmt.Errorf("the reason why it was given up has %d bytes, at most %d, or is not UTF-8", len(g.Reason), givenUpBytesMax)
	}
	return nil
}

// checkGivenUp: a range that was given up has no records, and says so in a version of its own.
func (e *Entry) checkGivenUp() error {
	switch {
	case (e.Version == entryVersion) != (e.GivenUp != nil):
		return fmt.Errorf("version %d, given up: %t", e.Version, e.GivenUp != nil)
	case e.GivenUp == nil:
		return nil
	case len(e.Files) > 0:
		return fmt.Errorf("it was given up, and names %d files", len(e.Files))
	}
	return e.GivenUp.check()
}

// GiveUp ends the log at offset to, without records: those from the log's end on are lost, and it says so. What
// others land meanwhile stays landed; nothing is done where the log reaches to. The lander must hold nothing. After an error
// it is good for nothing but Close.
func (l *Lander) GiveUp(ctx context.Context, to int64, why GivenUp) error {
	for {
		b, err := l.sealHole(to, &why)
		if err != nil {
			return fmt.Errorf("give up %s/%d up to offset %d: %w", l.topic.declared.Topic, l.partition, to, err)
		}
		if b == nil {
			return nil
		}
		if err := l.Land(ctx, b); err != nil { // or another writer's range came first, and the rest is to be given up
			return err
		}
	}
}

// sealHole is Seal for a range that was given up; nil if the log has reached to.
func (l *Lander) sealHole(to int64, why *GivenUp) (*Batch, error) {
	if err := why.check(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, errors.New("the lander is closed")
	case l.sealed != nil || l.open.records > 0:
		return nil, errors.New("the lander holds records that are not landed")
	case l.landed >= to:
		return nil, nil
	}
	l.next = to
	l.sealed = &Batch{first: l.landed, end: to, span: l.open, givenUp: why}
	l.open.seal()
	l.open = newSpan(l.o.Budget)
	return l.sealed, nil
}

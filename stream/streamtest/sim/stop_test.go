package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// hanging is a bucket that says nothing about the raw records.
type hanging struct{ blob.Bucket }

func (h hanging) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if strings.HasPrefix(key, "raw/orders/dt=") {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.Bucket.PutIfAbsent(ctx, key, pieces...)
}

// Told to stop while a landing hangs, a run ends all the same: the last steps are bounded, and so is what was under way.
func TestBubbleStopIsBounded(t *testing.T) {
	inBubble(t, func(b blob.Bucket) blob.Bucket { return hanging{b} })
}

// silent is a bucket in which nothing is deleted: the call waits until its context ends.
type silent struct{ blob.Bucket }

func (silent) Delete(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// A task whose start is overtaken closes its state, wherever it stood: else the process could never open it again.
func TestBubbleOvertakenStartClosesItsState(t *testing.T) {
	inBubble(t, func(b blob.Bucket) blob.Bucket { return silent{b} })
}

func inBubble(t *testing.T, over func(blob.Bucket) blob.Bucket) {
	if !timeFriendly {
		return // TestSim runs it in a child
	}
	orders, err := compileOrders(t)
	if err != nil {
		t.Fatal(err)
	}
	l := &life{seed: 1, rng: rand.New(rand.NewPCG(1, 1))}
	l.drawn = draw(l.rng)
	l.subject = orders.orders(l.rng, l.drawn)
	synctest.Test(t, func(t *testing.T) {
		if err := l.hang(over); err != nil {
			t.Error(err)
		}
	})
}

// hang runs a process over a bucket, and tells it to stop.
func (l *life) hang(over func(blob.Bucket) blob.Bucket) error {
	if err := l.begin(); err != nil {
		return err
	}
	defer l.cluster.Close()
	l.calmDown()
	err := l.openProducer()
	if err != nil {
		return err
	}
	defer l.producer.Close()
	if err := l.produce(len(l.subject.messages)); err != nil {
		return err
	}
	m := l.machines[0]
	m.wrap = over
	p := m.start(doom{}, false)
	time.Sleep(2 * time.Minute)
	p.cancel()
	told := time.Now()
	if !p.over() {
		return errors.New("the run does not end")
	}
	if took := time.Since(told); took > time.Minute {
		return errors.New("the run took " + took.String() + " to end")
	}
	if p.err != nil && strings.Contains(p.err.Error(), "still open") {
		return p.err
	}
	return nil
}

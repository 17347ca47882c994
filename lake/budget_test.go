package lake_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// TestBudgetHeld (invariant 6): three landers of one budget take records of
// all sizes for many hours; at no time do they hold more than the budget and
// one record (or one block, when that is larger).
func TestBudgetHeld(t *testing.T) {
	const limit, recordMax, block = 1 << 20, 200_000, 66_000
	rng := rand.New(rand.NewPCG(7, 7))
	b := blob.NewMemory()
	topic := openTopic(t, b)
	budget := lake.NewBudget(limit)
	var landers []*lake.Lander
	for p := range int32(3) {
		landers = append(landers, openLander(t, topic, p, lake.LanderOptions{Budget: budget, BytesMax: 1 << 30}))
	}
	full, most, offsets := 0, int64(0), make([]int64, 3)
	for i := range 3000 {
		p := rng.IntN(3)
		size := rng.IntN(300)
		if rng.IntN(100) == 0 {
			size = rng.IntN(recordMax - 1000)
		}
		e := reading(int32(p), offsets[p], hour7+rng.Int64N(200)*hourMs, fmt.Sprint(i))
		e.record.Key = make([]byte, size)
		for {
			err := landers[p].Append(&e.record, e.landing)
			if err == nil {
				break
			}
			if !errors.Is(err, lake.ErrFull) || !budget.Over() {
				t.Fatalf("append: %v", err)
			}
			full++
			landOne(t, landers)
		}
		offsets[p]++
		most = max(most, budget.Used())
		var buffered int64
		for _, l := range landers {
			buffered += l.Buffered()
		}
		if used := budget.Used(); used > limit+max(recordMax, block) || buffered > used {
			t.Fatalf("%d bytes are charged, %d buffered, the limit is %d", used, buffered, limit)
		}
	}
	if full == 0 || most < limit {
		t.Errorf("the budget was never used up (%d refusals, at most %d bytes)", full, most)
	}
	for p, l := range landers {
		land(t, l)
		if found, _ := readAll(t, b, int32(p)); int64(len(found)) != offsets[p] {
			t.Errorf("partition %d: %d records, want %d", p, len(found), offsets[p])
		}
	}
	if budget.Used() != 0 {
		t.Errorf("%d bytes are charged when all has landed", budget.Used())
	}
}

// landOne lands what the first due lander holds: when the budget is over, one
// is due, or nothing would ever move again.
func landOne(t *testing.T, landers []*lake.Lander) {
	t.Helper()
	for _, l := range landers {
		if l.Due() {
			if err := l.Land(t.Context(), l.Seal()); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("the budget is over and no lander is due")
}

// TestBudgetPressure: the lander that holds much is asked to make room, the
// small ones are not cut into small files.
func TestBudgetPressure(t *testing.T) {
	topic := openTopic(t, blob.NewMemory())
	budget := lake.NewBudget(1 << 20)
	o := lake.LanderOptions{Budget: budget, BytesMax: 1 << 30, Every: time.Hour}
	big, small := openLander(t, topic, 0, o), openLander(t, topic, 1, o)
	appendAll(t, small, reading(1, 0, hour7, "x"))
	for offset := int64(0); budget.Used() < budget.Limit()/2; offset++ {
		if big.Due() {
			t.Fatalf("due at %d bytes of %d", budget.Used(), budget.Limit())
		}
		appendAll(t, big, reading(0, offset, hour7, "a longer id than the other"))
	}
	if !big.Due() || small.Due() {
		t.Errorf("half of the budget is open: big due %t, small due %t", big.Due(), small.Due())
	}
}

func TestBudgetWait(t *testing.T) {
	topic := openTopic(t, blob.NewMemory())
	budget := lake.NewBudget(1 << 20)
	l := openLander(t, topic, 0, lake.LanderOptions{Budget: budget})
	if err := budget.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var e event
	for offset := int64(0); !budget.Over(); offset++ {
		e = reading(0, offset, hour7, "x")
		e.record.Key = make([]byte, 10_000)
		appendAll(t, l, e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := budget.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with a cancelled context: %v", err)
	}
	waited := make(chan error)
	go func() { waited <- budget.Wait(t.Context()) }()
	land(t, l)
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

// TestCloseReturnsBudget: a lander that is dropped, also while it lands, gives
// everything back, and what it was landing is whole or absent.
func TestCloseReturnsBudget(t *testing.T) {
	b := blob.NewMemory()
	topic := openTopic(t, b)
	budget := lake.NewBudget(1 << 20)
	events := someEvents(rand.New(rand.NewPCG(8, 8)), 100)
	for i := range 10 {
		l := openLander(t, topic, int32(i), lake.LanderOptions{Budget: budget})
		for j := range events {
			events[j].record.Partition = int32(i)
		}
		appendAll(t, l, events[:50]...)
		batch := l.Seal()
		appendAll(t, l, events[50:]...)
		done := make(chan error)
		if i%2 == 0 {
			go func() { done <- l.Land(t.Context(), batch) }()
		}
		l.Close()
		l.Close()
		if i%2 == 0 {
			<-done // landed, or refused because it was closed before
		}
		if l.Seal() != nil || l.Due() {
			t.Error("a closed lander goes on")
		}
	}
	if budget.Used() != 0 {
		t.Errorf("%d bytes are still charged", budget.Used())
	}
	checkClean(t, b)
}

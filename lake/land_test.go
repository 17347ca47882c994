package lake_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest"
)

// someEvents is a log of n records over several hours, late and invalid ones
// among them, with gaps in its offsets as transactions leave them.
func someEvents(rng *rand.Rand, n int) []event {
	var events []event
	offset := int64(0)
	for i := range n {
		offset += 1 + int64(rng.IntN(3)/2)
		at := hour7 + int64(i)*60_000 + rng.Int64N(1000)
		switch rng.IntN(10) {
		case 0:
			at -= rng.Int64N(30) * hourMs // late
		case 1:
			events = append(events, invalid(0, offset, []byte(fmt.Sprint("bad ", i)), "truncated"))
			continue
		}
		e := reading(0, offset, at, fmt.Sprintf("id-%d", i))
		if rng.IntN(4) == 0 {
			e.record.Headers = []lake.Header{{Key: "trace", Value: []byte{0, 1}}, {Key: "null \xff"}, {Value: []byte{}}}
			e.record.Key = nil
		}
		events = append(events, e)
	}
	return events
}

// TestCrashAtEveryStep (invariants 1 to 4, law L3): a lander dies at any call
// of the bucket, with that call done or not; its successor reads the same
// records again from where the log ends. The lake then holds each exactly once.
func TestCrashAtEveryStep(t *testing.T) {
	events := someEvents(rand.New(rand.NewPCG(1, 1)), 60)
	steps := 0
	for n := 1; ; n++ {
		fired := false
		for _, mode := range []blobtest.Mode{blobtest.Before, blobtest.After} {
			inner := blob.NewMemory()
			openTopic(t, inner)
			faulty := blobtest.NewFaulty(inner)
			faulty.CrashAt(n, mode)
			if err := landIn(t, faulty, events, []int{20, 41}); err != nil {
				if !errors.Is(err, blobtest.ErrInjected) {
					t.Fatalf("step %d: %v", n, err)
				}
				fired = true
			}
			// The successor cuts its batches elsewhere.
			if err := landIn(t, inner, events, []int{33}); err != nil {
				t.Fatalf("after a crash at step %d (%s): %v", n, faulty.Trace()[len(faulty.Trace())-1], err)
			}
			found, _ := readAll(t, inner, 0)
			wantEvents(t, found, events)
			checkClean(t, inner)
		}
		if !fired {
			break
		}
		steps++
	}
	if steps < 20 {
		t.Errorf("only %d steps were failed", steps)
	}
}

// landIn opens a lander, appends the events and lands a batch before each of
// the given ones and at the end.
func landIn(t *testing.T, b blob.Bucket, events []event, cuts []int) error {
	topic, err := lake.LookTopic(t.Context(), b, "readings")
	if err != nil {
		return err
	}
	l, err := topic.Lander(t.Context(), 0, lake.LanderOptions{Now: newClock().Now})
	if err != nil {
		return err
	}
	defer l.Close()
	for i := range events {
		if len(cuts) > 0 && cuts[0] == i {
			cuts = cuts[1:]
			if batch := l.Seal(); batch != nil {
				if err := l.Land(t.Context(), batch); err != nil {
					return err
				}
			}
		}
		if err := l.Append(&events[i].record, events[i].landing); err != nil {
			return err
		}
	}
	for batch := l.Seal(); batch != nil; batch = l.Seal() {
		if err := l.Land(t.Context(), batch); err != nil {
			return err
		}
	}
	return nil
}

// TestLandAgain (invariant 4): Land fails at any call and is simply called
// again with the same batch; what it ends with equals a run without faults.
func TestLandAgain(t *testing.T) {
	events := someEvents(rand.New(rand.NewPCG(2, 2)), 30)
	clean := blobtest.NewFaulty(blob.NewMemory())
	l := openLander(t, openTopic(t, clean), 0, lake.LanderOptions{})
	appendAll(t, l, events...)
	before := clean.Calls()
	land(t, l)
	calls := clean.Calls() - before // files and the entry
	want := snapshot(t, clean)
	for n := 1; n <= calls; n++ {
		for _, mode := range []blobtest.Mode{blobtest.Before, blobtest.After} {
			inner := blob.NewMemory()
			openTopic(t, inner)
			faulty := blobtest.NewFaulty(inner)
			topic, err := lake.LookTopic(t.Context(), faulty, "readings")
			if err != nil {
				t.Fatal(err)
			}
			l := openLander(t, topic, 0, lake.LanderOptions{})
			appendAll(t, l, events...)
			faulty.FailAt(faulty.Calls()+n, mode)
			batch := l.Seal()
			if err := l.Land(t.Context(), batch); err == nil {
				t.Errorf("call %d did not fail", n)
			}
			if l.Landed() != 0 || l.Seal() != nil {
				t.Error("a failed batch is no longer in flight")
			}
			if err := l.Land(t.Context(), batch); err != nil {
				t.Errorf("landed again after a fault at call %d: %v", n, err)
			}
			if got := snapshot(t, inner); !reflect.DeepEqual(got, want) {
				t.Errorf("a fault at call %d left another lake", n)
			}
		}
	}
}

// TestSameBytes (invariant 4): equal ranges give equal objects, byte for byte,
// whoever lands them.
func TestSameBytes(t *testing.T) {
	events := someEvents(rand.New(rand.NewPCG(3, 3)), 300)
	var want map[string]string
	for range 3 {
		b := blob.NewMemory()
		openTopic(t, b)
		if err := landIn(t, b, events, []int{100, 150}); err != nil {
			t.Fatal(err)
		}
		got := snapshot(t, b)
		if want != nil && !reflect.DeepEqual(got, want) {
			t.Error("the same ranges gave other bytes")
		}
		want = got
	}
}

// TestBatchings (laws L1, L3): other batch sizes give the same set of records.
func TestBatchings(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	events := someEvents(rng, 200)
	for range 8 {
		var cuts []int
		for i := rng.IntN(60); i < len(events); i += 1 + rng.IntN(60) {
			cuts = append(cuts, i)
		}
		b := blob.NewMemory()
		openTopic(t, b)
		if err := landIn(t, b, events, cuts); err != nil {
			t.Fatal(err)
		}
		found, log := readAll(t, b, 0)
		wantEvents(t, found, events)
		if got := log.End(); got != events[len(events)-1].record.Offset+1 {
			t.Errorf("the log ends at %d", got)
		}
		if sum := checkClean(t, b); sum.Pending+sum.Garbage != 0 {
			t.Errorf("left over: %+v", sum)
		}
	}
}

// TestRacingLanders (invariants 2 to 4): landers with other batch sizes land the
// same log at once, some dying on the way. Each record is in the lake once, and
// no lander is ever asked to go back.
func TestRacingLanders(t *testing.T) {
	for seed := range uint64(15) {
		rng := rand.New(rand.NewPCG(5, seed))
		events := someEvents(rng, 150)
		var b blob.Bucket = blob.NewMemory()
		if seed%5 == 0 {
			b = openDir(t)
		}
		openTopic(t, b)
		var wg sync.WaitGroup
		for i := range 3 {
			size, crash := 1+rng.IntN(40), 0
			if i > 0 {
				crash = rng.IntN(60)
			}
			wg.Go(func() { raceLander(t, b, events, size, crash) })
		}
		wg.Wait()
		found, _ := readAll(t, b, 0)
		wantEvents(t, found, events)
		checkClean(t, b)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func raceLander(t *testing.T, b blob.Bucket, events []event, size, crash int) {
	faulty := blobtest.NewFaulty(b)
	if crash > 0 {
		faulty.CrashAt(crash, blobtest.After)
	}
	topic, err := lake.LookTopic(t.Context(), faulty, "readings")
	if err != nil {
		return // crashed early
	}
	l, err := topic.Lander(t.Context(), 0, lake.LanderOptions{Now: newClock().Now})
	if err != nil {
		return
	}
	defer l.Close()
	next := l.Next()
	for i := range events {
		if err := l.Append(&events[i].record, events[i].landing); err != nil {
			t.Error(err)
		}
		last := i == len(events)-1
		for (i+1)%size == 0 || last {
			batch := l.Seal()
			if batch == nil {
				break
			}
			if err := l.Land(t.Context(), batch); err != nil {
				if !errors.Is(err, blobtest.ErrInjected) {
					t.Error(err)
				}
				return
			}
			if l.Next() < next || l.Landed() > l.Next() {
				t.Errorf("next went from %d to %d, landed %d", next, l.Next(), l.Landed())
			}
			next = l.Next()
			if !last {
				break
			}
		}
	}
}

// TestAdoptEqualsFresh (invariant 4): what a loser keeps of its batch becomes
// the same bytes as those of a lander that began there, blocks and all.
func TestAdoptEqualsFresh(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	events := someEvents(rng, 3000)
	for i := range events { // several blocks a file
		events[i].record.Key = make([]byte, 200+rng.IntN(200))
	}
	end := 700
	winner := func(b blob.Bucket) *lake.Topic {
		topic := openTopic(t, b)
		l := openLander(t, topic, 0, lake.LanderOptions{})
		appendAll(t, l, events[:end]...)
		land(t, l)
		return topic
	}
	fresh := blob.NewMemory()
	l := openLander(t, winner(fresh), 0, lake.LanderOptions{})
	appendAll(t, l, events...)
	land(t, l)
	want := snapshot(t, fresh)

	raced := blob.NewMemory()
	budget := lake.NewBudget(64 << 20)
	loser := openLander(t, openTopic(t, raced), 0, lake.LanderOptions{Budget: budget})
	appendAll(t, loser, events[:2000]...)
	batch := loser.Seal()
	appendAll(t, loser, events[2000:]...)
	winner(raced)
	held := budget.Used()
	if err := loser.Land(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if budget.Used() > held {
		t.Errorf("adopting took the memory held from %d to %d", held, budget.Used())
	}
	land(t, loser)
	if budget.Used() != 0 {
		t.Errorf("%d bytes are still charged", budget.Used())
	}
	for key, data := range snapshot(t, raced) {
		if have, ok := want[key]; ok && have != data {
			t.Errorf("%s differs", key)
		}
		delete(want, key)
	}
	for key := range want {
		t.Errorf("%s is missing", key)
	}
}

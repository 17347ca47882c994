package stream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// published closes what is due as a commit does, and returns the results of outputs in their order.
func (p *pair) published(t *task) (results []string, err error) {
	t.out.produce = func(rec *kafka.Record) error {
		if rec.Topic != "pair-journal" {
			results = append(results, fmt.Sprintf("%x %x", rec.Key, rec.Value))
		}
		return nil
	}
	p.must(t.close())
	t.out.produce = nil
	return results, t.endClosing()
}

// Whoever goes on with a closing gives out what is left of it in the order in which it began, whatever of the state is on
// the disk and however often the replay died (law L4). Until that is committed, the state on the disk holds windows
// that the watermark of its cut has passed, and is copied nowhere.
func TestClosingGoesOnInItsOrder(t *testing.T) {
	total := 0
	for shape := range pairShapes {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s/%d", shape, seed), func(t *testing.T) {
				p := newPair(t, shape)
				p.every = 1 // also at the end of the replay, where what is held makes the state another than the cut's
				r := rand.New(rand.NewPCG(seed, 2))
				live, _ := p.open(filepath.Join(t.TempDir(), "live"))
				live.out.atOnce = r.IntN(3) // what is more waits for the commit
				p.live(live, r)
				live.out.held = nil
				from := live.flow.Closed()
				want, err := p.published(live)
				p.must(err)
				total += len(want)
				for _, sent := range []int{0, 1, len(want) / 2, len(want), len(want) + 1} {
					p.goOn(filepath.Join(t.TempDir(), "again"), live, closing{From: from, Sent: int64(sent)}, want, r)
				}
				p.must(live.store.Close())
			})
		}
	}
	if total < 60 {
		t.Errorf("%d results only", total)
	}
}

// goOn replays to where live is, dying now and then, and gives out what is left of a closing.
func (p *pair) goOn(dir string, live *task, c closing, want []string, r *rand.Rand) {
	p.t.Helper()
	again, hasState := p.open(dir)
	lives := r.IntN(300)
	if p.decided = r.IntN(2) == 0; p.decided {
		lives = 1_000
	}
	for again.flow.Hold(c.From); p.replay(again, hasState, live, lives) != nil; again.flow.Hold(c.From) {
		p.must(again.store.Close())
		again, hasState = p.open(dir)
		lives = r.IntN(300)
	}
	again.resumeClosing(c)
	left, err := p.published(again)
	if int(c.Sent) > len(want) {
		if stop := (*StopError)(nil); !errors.As(err, &stop) || !again.abandoned {
			p.t.Errorf("more was published than there is, and the task goes on: %v", err)
		}
	} else if p.must(err); fmt.Sprint(left) != fmt.Sprint(want[c.Sent:]) {
		p.t.Errorf("after %d of %d results come\n%v\nand not\n%v", c.Sent, len(want), left, want[c.Sent:])
	}
	if again.out.whole() {
		p.t.Error("a state that holds windows which should have closed may be copied")
	}
	p.must(again.apply())
	if !again.out.whole() {
		p.t.Error("a committed state may not be copied")
	}
	p.must(again.store.Close())
}

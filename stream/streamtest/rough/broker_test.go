package rough_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// restartPause is how long a supervisor waits.
const restartPause = 200 * time.Millisecond

// pair is a world with two processes that are kept alive, and one fault after another.
type pair struct {
	*world
	draw   *rand.Rand
	here   []*supervisor
	counts map[string]int64
}

// The timeouts of the worlds in which the broker or the network is at fault.
const (
	pairSession     = 6 * time.Second
	pairTransaction = 5 * time.Second
)

// pairs runs rounds of a fault in several worlds side by side, and judges each.
func pairs(t *testing.T, campaign string, proxied bool, round func(*pair)) {
	n, seed := trial.EnvInt(t, "TIDEMARK_N", 1), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	began := time.Now()
	worlds := min(n, trial.EnvInt(t, "TIDEMARK_WORLDS", 3))
	all := make([]*pair, worlds)
	t.Run("worlds", func(t *testing.T) {
		for i := range all {
			t.Run(fmt.Sprintf("seed=%d-%d", seed, i), func(t *testing.T) {
				t.Parallel()
				rounds := n / worlds
				if i < n%worlds {
					rounds++
				}
				draw := rand.New(rand.NewPCG(seed, uint64(i)))
				p := &pair{draw: draw, counts: map[string]int64{}}
				all[i] = p
				p.world = newWorld(t, scene{seed: draw.Uint64(), session: pairSession, transaction: pairTransaction, events: 20_000 + 10_000*rounds, proxied: proxied})
				p.begin(200)
				p.here = []*supervisor{p.supervise("a"), p.supervise("b")}
				p.moves()
				for range rounds {
					round(p)
					p.moves()
					p.counts["rounds"]++
				}
				for _, s := range p.here {
					s.close()
					p.counts["restarts"] += s.restarts.Load()
				}
				longest, _, moved := stall(p.ledger.snapshot())
				p.counts["stall max ms"], p.counts["tasks moved"] = longest.Milliseconds(), int64(moved)
				p.finish()
			})
		}
	})
	record(t, campaign, n, seed, began, func(yield func(map[string]int64)) {
		for _, p := range all {
			if p != nil {
				yield(p.counts)
			}
		}
	})
}

// The campaigns whose worlds count their rounds.
const zombieCampaign, brokerCampaign, networkCampaign = "zombie: stopped past its timeouts, then woken", "broker killed and restarted", "network"

var campaignRounds = map[string]bool{zombieCampaign: true, brokerCampaign: true, networkCampaign: true}

// record adds up what the worlds counted; of what is a "max" the greatest counts.
func record(t *testing.T, campaign string, n int, seed uint64, began time.Time, counts func(func(map[string]int64))) {
	t.Helper()
	result := trial.Result{Campaign: campaign, N: n, Seed: seed, Counts: map[string]int64{}, Broker: "Apache Kafka 4.1.0", Seconds: time.Since(began).Seconds()}
	if t.Failed() {
		result.Failures = 1
	}
	counts(func(of map[string]int64) {
		for k, v := range of {
			if k == "stall max ms" || k == "failover max ms" {
				result.Counts[k] = max(result.Counts[k], v)
			} else {
				result.Counts[k] += v
			}
		}
	})
	if done, counted := result.Counts["zombies"]+result.Counts["rounds"], campaignRounds[campaign]; counted {
		result.N = int(done) // a failure ends a world early
	}
	t.Logf("%+v", result)
	trial.Record(t, result)
}

// moves waits until every task has committed again.
func (p *pair) moves() {
	p.TB.Helper()
	from := time.Now()
	p.await(func() string {
		text := fmt.Sprintf("a commit of every task after %s; the last are %+v", from.Format(time.TimeOnly), owners(p.ledger.snapshot()))
		for _, s := range p.here {
			text += fmt.Sprintf("\n--- %s\n%s", s.id, s.process().tail())
		}
		return text
	}, func() bool {
		n := 0
		for _, e := range owners(p.ledger.snapshot()) {
			if e.at.After(from) {
				n++
			}
		}
		return n == int(p.Set.Partitions)
	})
}

// pause lets things go on for a while.
func (p *pair) pause(least, most time.Duration) {
	rest(p.TB.Context(), least+time.Duration(p.draw.Int64N(int64(most-least))))
}

// TestBrokerKilled kills the broker, or ends it in an orderly way, and starts it again, under load. Acknowledged is acknowledged;
// what was not confirmed is found out by asking.
func TestBrokerKilled(t *testing.T) {
	t.Parallel()
	pairs(t, brokerCampaign, false, func(p *pair) {
		p.pause(200*time.Millisecond, 2*time.Second)
		if p.counts["killed"] > 0 && p.draw.IntN(4) == 0 {
			p.broker.Stop(p.TB)
			p.counts["stopped"]++
		} else {
			p.broker.Kill(p.TB)
			p.counts["killed"]++
		}
		if p.draw.IntN(2) == 0 {
			p.pause(0, 4*time.Second)
		}
		p.broker.Restart(p.TB)
	})
}

// TestBadWeather has the network between the processes and the broker at fault: connections are reset or go silent, some or
// all; everything is swallowed for a while, or is late by that while, sender gone or not; and links are slow.
func TestBadWeather(t *testing.T) {
	t.Parallel()
	long := trial.EnvInt(t, "TIDEMARK_N", 1) > 1
	pairs(t, networkCampaign, true, func(p *pair) {
		kinds := []string{"held", "lost", "slow", "reset", "forgotten"}
		if !long {
			for _, kind := range kinds { // each once, and short
				p.weather(kind, 2*time.Second, 3*time.Second)
			}
			return
		}
		p.weather(kinds[p.draw.IntN(len(kinds))], 5*time.Second, 20*time.Second)
	})
}

// weather makes one kind of it for a while.
func (p *pair) weather(kind string, least, most time.Duration) {
	some := func() bool { return p.draw.IntN(2) == 0 }
	p.counts[kind]++
	p.pause(100*time.Millisecond, time.Second)
	switch kind {
	case "held":
		p.proxy.SetWeather(realkafka.Weather{Held: true})
	case "lost":
		p.proxy.SetWeather(realkafka.Weather{Lost: true})
	case "slow":
		p.proxy.SetWeather(realkafka.Weather{Delay: time.Duration(p.draw.IntN(200)) * time.Millisecond, BytesPerSecond: 20_000 + p.draw.Int64N(200_000)})
	case "reset":
		for range 1 + p.draw.IntN(10) {
			p.proxy.Reset(some)
			p.pause(time.Millisecond, 500*time.Millisecond)
		}
		return
	case "forgotten":
		p.proxy.Forget(some)
		return
	}
	p.pause(least, most)
	p.proxy.SetWeather(realkafka.Weather{})
}

package peers

import (
	"math/rand/v2"
	"slices"
)

// The queries' times in ms, as in the pipeline files.
const (
	size   = 10_000
	hop    = 4_000
	gap    = 3_000
	grace  = 2_000
	before = 2_000
	after  = 3_000
)

// morning is when the events begin; none comes near midnight, where Tidemark cuts sessions. It is early in 1970 because
// Kafka Streams' cached stores look through every minute since then at the first emission on close.
const morning = day + 8*hour

const (
	second   = 1_000
	hour     = 3_600 * second
	day      = 24 * hour
	flushKey = "~flush"
)

// event is a record; in scenario.events they stand as they arrive.
type event struct {
	topic string
	ID    int64  `json:"id"`
	K     string `json:"k"`
	V     int64  `json:"v"`
	T     int64  `json:"t"`
	at    int64  // when it arrives
}

// scenario is one query over one log.
type scenario struct {
	query  string
	trial  string
	events []event
	ways   []way
}

func (c *scenario) name() string { return c.query + "/" + c.trial }

var queries = []string{"tumbling", "hopping", "session", "join"}

// trials are what can be the matter with a log. Only "late" has events later than the grace.
var trials = []struct {
	name  string
	spoil func(r *rand.Rand, log []event) []event
}{
	{"on time", func(_ *rand.Rand, log []event) []event { return log }},
	{"late", lateEvents},
	{"duplicates", duplicates},
	{"idle gap", idleGap},
	{"far future", farFuture},
}

// scenarios are all queries with the trials; seed draws so many events. Kafka Streams is to run them in those ways.
func scenarios(seed uint64, events int, ways []way, trial ...string) []scenario {
	var out []scenario
	for _, q := range queries {
		for i, tr := range trials {
			if slices.Contains(trial, tr.name) {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				log := tr.spoil(r, onTime(r, events, q == "join"))
				slices.SortStableFunc(log, func(a, b event) int { return int(a.at - b.at) })
				out = append(out, scenario{q, tr.name, log, ways})
			}
		}
	}
	return out
}

// onTime are events of twelve keys that arrive up to a quarter of the grace after their time.
func onTime(r *rand.Rand, events int, both bool) []event {
	log := make([]event, events)
	t := int64(morning)
	for i := range log {
		t += r.Int64N(600)
		e := event{topic: "a", ID: int64(i), K: string(rune('a' + r.IntN(12))), V: r.Int64N(1000) - 200, T: t, at: t + r.Int64N(grace/4)}
		if both && r.IntN(2) == 0 {
			e.topic = "b"
		}
		log[i] = e
	}
	return log
}

// lateEvents holds 4 of 100 back, by 3 to 40 s.
func lateEvents(r *rand.Rand, log []event) []event {
	for i := range log {
		if r.IntN(100) < 4 {
			log[i].at += grace + second + r.Int64N(37*second)
		}
	}
	return log
}

// duplicates sends 5 of 100 again within the grace.
func duplicates(r *rand.Rand, log []event) []event {
	for _, e := range log {
		if r.IntN(100) < 5 {
			e.at += r.Int64N(grace / 2)
			log = append(log, e)
		}
	}
	return log
}

// idleGap has six hours without an event after the first half, and one record from behind them as the first.
func idleGap(_ *rand.Rand, log []event) []event {
	for i := len(log) / 2; i < len(log); i++ {
		log[i].T += 6 * hour
		log[i].at += 6 * hour
	}
	return log
}

// farFuture stamps one event of the first third three days ahead.
func farFuture(_ *rand.Rand, log []event) []event {
	log[len(log)/3].T += 3 * day
	return log
}

// flush are records that make stream time pass the end of every window, in small steps: final results only come with
// further records, and emission on close loses what a single long step passes.
func (c *scenario) flush() []event {
	var top int64
	for _, e := range c.events {
		top = max(top, e.T)
	}
	var out []event
	for t := top; t <= top+2*size+gap+grace+after; t += second {
		out = append(out, event{topic: "a", K: flushKey, T: t})
		if c.query == "join" {
			out = append(out, event{topic: "b", K: flushKey, T: t})
		}
	}
	return out
}

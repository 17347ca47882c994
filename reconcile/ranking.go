package reconcile

import (
	"math"
	"sort"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

const topDefault = 20

// ranking keeps the largest changes of a plan in bounded memory: per aggregate the windows that moved most. In the end
// each window is ranked by its moves, every move as a share of the largest of its aggregate.
type ranking struct {
	n       int
	lists   map[aggKey][]*ranked // descending by move
	tallest map[aggKey]float64
}

type aggKey struct{ output, agg int }

type ranked struct {
	output int
	change Change
	start  int64
	moves  []float64 // per aggregate
	score  float64
}

func newRanking(n int) *ranking {
	if n <= 0 {
		n = topDefault
	}
	return &ranking{n: n, lists: make(map[aggKey][]*ranked), tallest: make(map[aggKey]float64)}
}

// offer takes one correction. It keeps no reference to it.
func (k *ranking) offer(p *pipeline.Plan, output int, c *correction) {
	moves := movesOf(p, output, c)
	var made *ranked
	for i, m := range moves {
		key := aggKey{output, i}
		k.tallest[key] = max(k.tallest[key], m)
		list := k.lists[key]
		if len(list) == k.n && list[len(list)-1].moves[i] >= m {
			continue
		}
		if made == nil {
			_, start, _ := c.window()
			made = &ranked{output: output, change: changeOf(p, output, c), start: start, moves: moves}
		}
		at := sort.Search(len(list), func(j int) bool { return list[j].moves[i] < m })
		if len(list) < k.n {
			list = append(list, nil)
		}
		copy(list[at+1:], list[at:])
		list[at] = made
		k.lists[key] = list
	}
}

// movesOf is by how much each aggregate of a window moves, in its own unit; from or to nothing counts as from or to zero.
// What is no number moves by one if it changes.
func movesOf(p *pipeline.Plan, output int, c *correction) []float64 {
	moves := make([]float64, len(p.Outputs[output].Aggs))
	for i := range moves {
		before, after := beforeValue(c.pair, i).v, afterValue(c.pair, i).v
		b, bOK := resultOf(p, output, i, before).Float()
		a, aOK := resultOf(p, output, i, after).Float()
		if !aOK && !bOK {
			moves[i] = difference(before, after)
			continue
		}
		if m := math.Abs(a - b); !math.IsNaN(m) && !math.IsInf(m, 0) {
			moves[i] = m
		}
	}
	return moves
}

func difference(a, b schema.Value) float64 {
	if sameValue(a, b) {
		return 0
	}
	return 1
}

func beforeValue(p pair, i int) Number {
	if !p.before.exists() || i >= len(p.before.row.Values) {
		return Number{}
	}
	return Number{v: p.before.row.Values[i]}
}

func afterValue(p pair, i int) Number {
	if p.after == nil {
		return Number{}
	}
	return Number{v: p.after.row.Values[i]}
}

// top gives the largest changes, largest first; equal ones by output, window and key.
func (k *ranking) top() []Change {
	seen := make(map[*ranked]bool)
	var all []*ranked
	for _, list := range k.lists {
		for _, c := range list {
			if seen[c] {
				continue
			}
			seen[c] = true
			for i, m := range c.moves {
				if t := k.tallest[aggKey{c.output, i}]; t > 0 {
					c.score += m / t
				}
			}
			all = append(all, c)
		}
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		switch {
		case a.score != b.score:
			return a.score > b.score
		case a.output != b.output:
			return a.output < b.output
		case a.start != b.start:
			return a.start < b.start
		case a.change.Key != b.change.Key:
			return a.change.Key < b.change.Key
		}
		return a.change.WindowEnd.Before(b.change.WindowEnd) // of another window size, before the pipeline was changed
	})
	out := []Change{}
	for _, c := range all[:min(len(all), k.n)] {
		out = append(out, c.change)
	}
	return out
}

// changeOf is a correction for people.
func changeOf(p *pipeline.Plan, output int, c *correction) Change {
	group, start, end := c.window()
	ch := Change{
		Output: p.Outputs[output].Name, Key: p.Codecs[output].FormatKey(group), WindowStart: timeOf(start), WindowEnd: timeOf(end),
		Kind: c.kind, Cause: c.cause.String(), FromRevision: c.from(), ToRevision: c.revision,
	}
	for i := range p.Outputs[output].Aggs {
		ch.Values = append(ch.Values, ValueChange{
			Aggregate: p.Outputs[output].Aggs[i].Name, Before: resultOf(p, output, i, beforeValue(c.pair, i).v), After: resultOf(p, output, i, afterValue(c.pair, i).v),
		})
	}
	for _, at := range c.evidence {
		ch.Evidence = append(ch.Evidence, at.String())
	}
	return ch
}

// countCauses adds one correction's evidence.
func countCauses(into map[string]int64, c *correction) {
	if c.late > 0 {
		into["late"] += c.late
	}
	if c.dup > 0 {
		into["duplicate"] += c.dup
	}
	if c.code {
		into["code"]++
	}
	if c.cause == curated.CauseOther {
		into["other"]++
	}
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

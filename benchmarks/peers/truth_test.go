package peers

import (
	"cmp"
	"slices"
)

// place is where a result belongs: a key, and a window. A session ends with its last event.
type place struct {
	key        string
	start, end int64
}

// tally is a result.
type tally struct{ count, sum int64 }

type rows map[place]tally

// truth is what a query comes to over the set of distinct events, computed the plainest way.
func (c *scenario) truth() rows {
	seen, distinct := map[int64]bool{}, []event{}
	for _, e := range c.events {
		if !seen[e.ID] {
			seen[e.ID] = true
			distinct = append(distinct, e)
		}
	}
	out := rows{}
	switch c.query {
	case "session":
		out.sessions(distinct)
	case "join":
		for _, a := range distinct {
			for _, b := range distinct {
				if a.topic == "a" && b.topic == "b" && a.K == b.K && b.T-a.T >= -before && b.T-a.T <= after {
					out.window(event{K: a.K, V: a.V + b.V, T: max(a.T, b.T)}, size)
				}
			}
		}
	case "hopping":
		for _, e := range distinct {
			out.window(e, hop)
		}
	default:
		for _, e := range distinct {
			out.window(e, size)
		}
	}
	return out
}

// window adds an event to all windows that hold it.
func (r rows) window(e event, every int64) {
	for start := e.T - e.T%every; start > e.T-size; start -= every {
		r.add(place{e.K, start, start + size}, e.V)
	}
}

func (r rows) add(at place, v int64) {
	old := r[at]
	r[at] = tally{old.count + 1, old.sum + v}
}

func (r rows) sessions(log []event) {
	byKey := map[string][]event{}
	for _, e := range log {
		byKey[e.K] = append(byKey[e.K], e)
	}
	for key, of := range byKey {
		slices.SortFunc(of, func(a, b event) int { return cmp.Compare(a.T, b.T) })
		for from := 0; from < len(of); {
			to, sum := from+1, of[from].V
			for to < len(of) && of[to].T-of[to-1].T < gap {
				sum += of[to].V
				to++
			}
			r[place{key, of[from].T, of[to-1].T}] = tally{int64(to - from), sum}
			from = to
		}
	}
}

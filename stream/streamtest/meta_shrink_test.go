package streamtest

import "slices"

// shrink takes away of a failing case what isn't needed for it to fail: cuts, decisions, records, a few hundred tries long.
func (c *metaCase) shrink(schedules int) *metaCase {
	best, tries := c, 0
	fails := func(l *metaLog) bool {
		tries++
		k := *best
		k.log = l
		if k.run(schedules) == nil {
			return false
		}
		best = &k
		return true
	}
	for again := true; again && tries < 600; {
		again = false
		for n := len(best.log.cuts) - 2; n >= 0; n-- {
			l := best.log.clone()
			l.cuts = slices.Delete(l.cuts, n, n+1)
			again = fails(l) || again
		}
		for n := range best.log.cuts {
			for r := len(best.log.cuts[n].raises) - 1; r >= 0; r-- {
				l := best.log.clone()
				l.cuts[n].raises = slices.Delete(l.cuts[n].raises, r, r+1)
				again = fails(l) || again
			}
		}
		for s := range best.log.values {
			for p := range best.log.values[s] {
				for size := max(1, len(best.log.values[s][p])/2); size > 0; size /= 2 {
					for i := len(best.log.values[s][p]) - size; i >= 0 && tries < 600; i -= size {
						again = fails(best.log.without(s, p, i, size)) || again
						i = min(i, len(best.log.values[s][p]))
					}
				}
			}
		}
	}
	return best
}

// clone copies what shrink changes.
func (l *metaLog) clone() *metaLog {
	out := &metaLog{}
	for s := range l.values {
		out.values, out.notes = append(out.values, slices.Clone(l.values[s])), append(out.notes, slices.Clone(l.notes[s]))
	}
	for _, c := range l.cuts {
		k := metaCut{raises: slices.Clone(c.raises)}
		for _, at := range c.at {
			k.at = append(k.at, slices.Clone(at))
		}
		out.cuts = append(out.cuts, k)
	}
	return out
}

// without is the log without some records of a partition.
func (l *metaLog) without(source, partition, from, size int) *metaLog {
	out := l.clone()
	cut := func(n int) int { return n - max(0, min(n, from+size)-from) }
	out.values[source][partition] = slices.Delete(slices.Clone(l.values[source][partition]), from, from+size)
	out.notes[source][partition] = slices.Delete(slices.Clone(l.notes[source][partition]), from, from+size)
	for n := range out.cuts {
		out.cuts[n].at[source][partition] = cut(l.cuts[n].at[source][partition])
	}
	return out
}

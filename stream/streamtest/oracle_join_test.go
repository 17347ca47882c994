package streamtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
)

// take judges an event at a join: late by its own partition, else one of a side's set.
func (j *oracleJudge) take(a *oracleArrival) {
	c := &j.v.counts
	if a.mark != never && a.mark >= a.fact.time+j.o.p.lateness {
		c.late++
		j.report(a, "late", 0)
		return
	}
	if j.duplicate(a.hasID, fmt.Sprintf("%d %s %x", a.source, j.joinKey(a), a.id)) == fateDuplicate {
		c.duplicate++
		return
	}
	c.aggregated++
	j.sides[a.source] = append(j.sides[a.source], a)
}

func (j *oracleJudge) joinKey(a *oracleArrival) string {
	return keyText(&j.o.p.sources[a.source], a.fact.row)
}

// join pairs what was taken, by trying all.
func (j *oracleJudge) join() {
	p := j.o.p
	for _, l := range j.sides[0] {
		if p.shape == shapeEnrich {
			if low := j.v.low[l.partition]; low == never || low < l.fact.time+p.lateness {
				continue // it still waits for versions
			}
			j.pair(l, j.inForce(l))
			continue
		}
		for _, r := range j.sides[1] {
			apart := r.fact.time - l.fact.time
			if l.partition == r.partition && j.joinKey(l) == j.joinKey(r) && p.lower <= apart && apart <= p.upper {
				j.pair(l, r)
			}
		}
	}
}

// inForce is the version of an event's key with the highest time not above its own.
func (j *oracleJudge) inForce(l *oracleArrival) *oracleArrival {
	var best *oracleArrival
	for _, r := range j.sides[1] {
		if r.partition != l.partition || j.joinKey(l) != j.joinKey(r) || r.fact.time > l.fact.time {
			continue
		}
		if best == nil || r.fact.time > best.fact.time || r.fact.time == best.fact.time && bytes.Compare(r.id[:], best.id[:]) > 0 {
			best = r
		}
	}
	return best
}

// pair takes a joined event to the windows.
func (j *oracleJudge) pair(l, r *oracleArrival) {
	p, c := j.o.p, &j.v.counts
	c.pairs++
	e := &oracleEntry{time: l.fact.time, mark: never, partition: l.partition}
	row := map[string]any{}
	p.sources[0].addRow(row, l.fact.row)
	both := slices.Clone(l.id[:])
	e.uid = fmt.Sprintf("%d/%d", l.partition, l.offset)
	if r != nil {
		p.sources[1].addRow(row, r.fact.row)
		both = append(both, r.id[:]...)
		e.time = max(e.time, r.fact.time)
		e.uid += fmt.Sprintf(" %d/%d", r.partition, r.offset)
	}
	sum := sha256.Sum256(both)
	e.id = [16]byte(sum[:16])
	switch j.evaluate(e, row, -1) {
	case fateInvalid:
		c.pairsInvalid++
		return
	case fateFiltered:
		c.pairsFiltered++
		return
	}
	for n := range p.outputs {
		j.enter(e, n)
	}
}

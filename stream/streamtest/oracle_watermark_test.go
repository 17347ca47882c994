package streamtest

import (
	"math"
	"slices"
)

// never is the watermark of a partition that has none.
const never = math.MinInt64

// oracleMark is a partition's watermark by the rules as they are written: the highest time believed, and the highest distinct
// events beyond what is believed.
type oracleMark struct {
	s    *metaSource
	any  bool
	base int64
	held []oracleHeld
}

type oracleHeld struct {
	time int64
	id   [16]byte
}

func (w *oracleMark) value() int64 {
	if !w.any {
		return never
	}
	return w.base - w.s.outOfOrder
}

func (w *oracleMark) believes(t int64) bool { return w.any && t-w.base <= w.s.maxFuture }

func (w *oracleMark) observe(t int64, id [16]byte) {
	if w.believes(t) {
		w.base = max(w.base, t)
		return
	}
	if slices.Contains(w.held, oracleHeld{t, id}) {
		return
	}
	w.held = append(w.held, oracleHeld{t, id})
	if len(w.held) <= w.s.confirm {
		return
	}
	slices.SortFunc(w.held, func(a, b oracleHeld) int { return int(min(max(a.time-b.time, -1), 1)) })
	lowest := w.held[0].time
	if !w.any || lowest > w.base {
		w.any, w.base = true, lowest
	}
	w.absorb()
}

// raise is a decision.
func (w *oracleMark) raise(mark int64) {
	if w.any && w.base-w.s.outOfOrder >= mark {
		return
	}
	w.any, w.base = true, mark+w.s.outOfOrder
	w.absorb()
}

func (w *oracleMark) absorb() {
	for {
		i := slices.IndexFunc(w.held, func(h oracleHeld) bool { return w.believes(h.time) })
		if i < 0 {
			return
		}
		w.base = max(w.base, w.held[i].time)
		w.held = slices.Delete(w.held, i, i+1)
	}
}

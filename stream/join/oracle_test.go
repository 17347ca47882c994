package join

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/stream/window"
)

// occurrence is one record of a log.
type occurrence struct {
	side     Side
	t        int64
	key, row string
	id       [16]byte
	hasID    bool
}

// workload is a join and a log for each source partition. Records of one partition are of one side.
type workload struct {
	enrich   bool
	interval IntervalOptions
	lateness int64
	unit     int64 // ms: times are multiples of it, so that several lie in a bucket and several buckets are in use
	bound    int64 // ms: out-of-orderness of the logs' own watermarks
	logs     [][]occurrence
}

var keys = []string{"", "a", "a\x00", "ab", "b", "\xff\xff", "a key of more than sixteen bytes, and then some " + strings.Repeat("x", 150)}

// newWorkload draws one: late and early events, copies in the same and in other partitions, equal times.
func newWorkload(r *rand.Rand, enrich bool, events int) *workload {
	unit := []int64{250, 250, 1}[r.IntN(3)]
	w := &workload{enrich: enrich, unit: unit, bound: 5 * unit, lateness: []int64{0, 2, 8, 40}[r.IntN(4)] * unit}
	lower := int64(r.IntN(25)-12) * unit
	w.interval = IntervalOptions{Lower: lower, Upper: lower + int64(r.IntN(12))*unit, Lateness: w.lateness}
	sides := [][]Side{{Left, Right}, {Left, Right, Right}, {Left, Left, Right}}[r.IntN(3)]
	w.logs = make([][]occurrence, len(sides))
	t := int64(-100) * unit
	var recent [2][]occurrence
	for i := range events {
		t += int64(r.IntN(3)) * unit
		p := r.IntN(len(sides))
		side := sides[p]
		if n := len(recent[side]); n > 0 && r.IntN(4) == 0 {
			w.logs[p] = append(w.logs[p], recent[side][max(0, n-1-r.IntN(20))])
			continue
		}
		o := occurrence{side: side, t: t + int64(r.IntN(16)-13)*unit, key: keys[r.IntN(len(keys))], hasID: r.IntN(8) > 0}
		o.row = strings.Repeat(fmt.Sprint("row", i), r.IntN(3))
		o.id = sha256Of(fmt.Sprint(i, side))
		if o.hasID {
			recent[side] = append(recent[side], o)
		}
		w.logs[p] = append(w.logs[p], o)
	}
	return w
}

func sha256Of(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:])
}

// interleaving is an order in which the partitions' records reach the task.
func (w *workload) interleaving(r *rand.Rand) []int {
	var order []int
	for p, log := range w.logs {
		order = append(order, slices.Repeat([]int{p}, len(log))...)
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

func (w *workload) operator(back window.Backing, memory int64) (Operator, error) {
	if w.enrich {
		return NewEnrichment(EnrichmentOptions{Lateness: w.lateness, MemoryMax: memory}, back)
	}
	opts := w.interval
	opts.MemoryMax = memory
	return NewInterval(opts, back)
}

// truth is what the definitions say of the logs as a whole: no state, no expiry, no order among partitions.
type truth struct {
	events   [2][]occurrence // distinct, not late
	verdicts [3]int
	pairs    map[string]string // identity: what
	low      int64             // least watermark of the partitions at the end
}

func (w *workload) truth() *truth {
	x := &truth{pairs: map[string]string{}, low: window.TimeMax}
	seen := map[[16]byte]bool{}
	for _, log := range w.logs {
		mark := int64(window.NoWatermark)
		for _, o := range log {
			switch {
			case mark >= o.t+w.lateness:
				x.verdicts[window.Late]++
			case seen[o.id]:
				x.verdicts[window.Duplicate]++
			default:
				seen[o.id] = true
				x.verdicts[window.Aggregated]++
				x.events[o.side] = append(x.events[o.side], o)
			}
			mark = max(mark, o.t-w.bound)
		}
		x.low = min(x.low, mark)
	}
	for _, l := range x.events[Left] {
		if w.enrich {
			x.enrich(l)
			continue
		}
		for _, r := range x.events[Right] {
			if d := r.t - l.t; l.key == r.key && d >= w.interval.Lower && d <= w.interval.Upper {
				x.pair(l, &r, max(l.t, r.t))
			}
		}
	}
	return x
}

// enrich finds the version in force by looking at all of them.
func (x *truth) enrich(l occurrence) {
	var best *occurrence
	for i := range x.events[Right] {
		v := &x.events[Right][i]
		if v.key == l.key && v.t <= l.t && (best == nil || v.t > best.t || v.t == best.t && string(v.id[:]) > string(best.id[:])) {
			best = v
		}
	}
	x.pair(l, best, l.t)
}

func (x *truth) pair(l occurrence, r *occurrence, t int64) {
	both, right := l.id[:], "nothing"
	if r != nil {
		both, right = slices.Concat(both, r.id[:]), fmt.Sprintf("%q", r.row)
	}
	id := sha256Of(string(both))
	x.pairs[fmt.Sprintf("%x", id)] = fmt.Sprintf("%d %q with %s", t, l.row, right)
}

// kept is what the state must hold when all is closed up to a watermark, as `place: row`.
func (w *workload) kept(x *truth, watermark int64) []string {
	var all []string
	for side, events := range x.events {
		for _, o := range events {
			if w.keeps(Side(side), events, o, watermark) {
				all = append(all, fmt.Sprintf("%d %q %d %x: %q", side, o.key, o.t, o.id, o.row))
			}
		}
	}
	slices.Sort(all)
	return all
}

func (w *workload) keeps(side Side, events []occurrence, o occurrence, watermark int64) bool {
	if !w.enrich {
		width := w.interval.width()
		last := int64(floorTo(o.t, width)) + width - 1 // the whole bucket goes with its last event
		reach := max(0, w.interval.Upper)
		if side == Right {
			reach = max(0, -w.interval.Lower)
		}
		return watermark < last+reach+w.lateness
	}
	if watermark < o.t+w.lateness {
		return true
	}
	if side == Left {
		return false
	}
	return !slices.ContainsFunc(events, func(v occurrence) bool { // no newer settled one
		return v.key == o.key && watermark >= v.t+w.lateness && (v.t > o.t || v.t == o.t && string(v.id[:]) > string(o.id[:]))
	})
}

func floorTo(t, width int64) int64 {
	n := t / width
	if t%width < 0 {
		n--
	}
	return n * width
}

package window

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

const seed = 20130101

// occurrence is an event of a generated log, or a copy of one.
type occurrence struct {
	time int64
	id   byte // 0: no identity
	key  string
	x    float64
	n    int64
	m    int64 // null when it is the lowest
	ok   bool
}

// workload is a set of outputs and a log for each source partition.
type workload struct {
	outputs []Output
	logs    [][]occurrence
	some    bool // events go to some of the outputs only
}

const modelBound = 5 // out-of-orderness of the logs' own watermarks

var nullLong = schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}

func allAggs() []Agg {
	return []Agg{
		{Name: "count", Func: Count, Arg: -1}, {Name: "sum x", Func: Sum, Arg: 0, In: double}, {Name: "mean x", Func: Mean, Arg: 0, In: double},
		{Name: "min x", Func: Min, Arg: 0, In: double}, {Name: "max x", Func: Max, Arg: 0, In: double},
		{Name: "sum n", Func: Sum, Arg: 1, In: long}, {Name: "mean m", Func: Mean, Arg: 2, In: nullLong},
		{Name: "min m", Func: Min, Arg: 2, In: nullLong}, {Name: "count m", Func: Count, Arg: 2, In: nullLong}, {Name: "if", Func: CountIf, Arg: 3, In: truth},
		{Name: "bag m", Func: Custom, Arg: 2, In: nullLong, Custom: bag{}},
	}
}

// newWorkload draws one: late, early and repeated events, some copies in another partition.
func newWorkload(r *rand.Rand, partitions, events int) *workload {
	w := &workload{logs: make([][]occurrence, partitions)}
	for i := range 1 + r.IntN(3) {
		o := Output{Name: fmt.Sprint("o", i), Size: []int64{7, 10, 20, 90}[r.IntN(4)], Lateness: []int64{0, 2, 8, 30}[r.IntN(4)], Aggs: allAggs()}
		if r.IntN(2) == 0 {
			o.Every = o.Size/6 + 1 + r.Int64N(o.Size-o.Size/6)
		}
		w.outputs = append(w.outputs, o)
	}
	long := r.IntN(2) == 0
	t := int64(-100)
	var recent []occurrence
	for i := range events {
		t += int64(r.IntN(3))
		p := r.IntN(partitions)
		if len(recent) > 0 && r.IntN(3) == 0 {
			again := recent[max(0, len(recent)-1-r.IntN(30))]
			w.logs[p] = append(w.logs[p], again)
			continue
		}
		o := occurrence{time: t + int64(r.IntN(34)) - 30, id: byte(1 + i%255), key: string(rune('a' + r.IntN(6))), x: drawDouble(r), n: r.Int64N(9) - 4, m: math.MinInt64, ok: r.IntN(2) == 0}
		if long {
			o.key = "a key of more than sixteen bytes, " + o.key
		}
		if r.IntN(3) > 0 {
			o.m = int64(r.Uint64())
		}
		if r.IntN(8) == 0 {
			o.id = 0
		} else {
			recent = append(recent, o)
		}
		w.logs[p] = append(w.logs[p], o)
	}
	return w
}

func drawDouble(r *rand.Rand) float64 {
	switch r.IntN(40) {
	case 0:
		return math.NaN()
	case 1:
		return math.Inf(1)
	case 2:
		return math.Copysign(0, -1)
	case 3, 4, 5:
		return math.Ldexp(r.Float64()-0.5, r.IntN(2000)-1000)
	}
	return float64(r.IntN(2000)-1000) / 10
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

// fill makes in what the pipeline would make of an occurrence: the same Input, whose buffers are used again and again.
func (o *occurrence) fill(in *Input, outputs int) *Input {
	in.Time, in.HasID, in.ID = o.time, o.id != 0, o.identity()
	if in.Keys == nil {
		in.Keys, in.Args = make([][]byte, outputs), make([][]schema.Value, outputs)
	}
	m := schema.NullValue()
	if o.m != math.MinInt64 {
		m = schema.IntValue(o.m)
	}
	for i := range outputs {
		in.Keys[i] = in.Keys[0]
		if i == 0 || o.ok { // one slice for several outputs, or one for each
			in.Keys[i] = append(in.Keys[i][:0], o.key...)
		}
		in.Args[i] = append(in.Args[i][:0], schema.FloatValue(o.x), schema.IntValue(o.n), m, schema.BoolValue(o.ok))
	}
	return in
}

// oracleOutcome is what a batch over the whole logs comes to: every window's set of events, by the definitions of
// lateness, copies and windows, with no state, no expiry and no order among partitions.
type oracleOutcome struct {
	results  map[string]string // output, start, key: values
	verdicts [3]int
	missed   []int
}

func (w *workload) oracle() *oracleOutcome {
	out := &oracleOutcome{results: map[string]string{}, missed: make([]int, len(w.outputs))}
	sets := map[string][]occurrence{}
	copies := map[string]int{}
	seen := map[string]bool{}   // identity: counted anywhere
	filled := map[string]bool{} // identity and window
	for _, log := range w.logs {
		wm := int64(NoWatermark)
		for _, o := range log {
			out.judge(w, o, wm, sets, copies, seen, filled)
			wm = max(wm, o.time-modelBound)
		}
	}
	for at, set := range sets {
		out.results[at] = describeSet(set, copies[at])
	}
	return out
}

func (out *oracleOutcome) judge(w *workload, o occurrence, wm int64, sets map[string][]occurrence, copies map[string]int, seen, filled map[string]bool) {
	all, inTime := windowsOf(w, o.time), 0
	for _, at := range all {
		if wm < at.closes {
			inTime++
		}
	}
	if inTime == 0 {
		out.verdicts[Late]++
		return
	}
	id := fmt.Sprint(o.id, " ", o.time)
	if o.id != 0 && seen[id] {
		out.verdicts[Duplicate]++
	} else {
		out.verdicts[Aggregated]++
	}
	seen[id] = true
	for _, win := range all {
		at := fmt.Sprintf("%d %d %s", win.output, win.start, o.key)
		switch {
		case wm >= win.closes:
			out.missed[win.output]++
		case o.id != 0 && filled[id+at]:
			copies[at]++
		default:
			filled[id+at] = true
			sets[at] = append(sets[at], o)
		}
	}
}

// oracleWindow is a window of an output.
type oracleWindow struct {
	output        int
	start, closes int64
}

// windowsOf is the windows that hold a time: every multiple of Every up to Size before it starts one.
func windowsOf(w *workload, t int64) (all []oracleWindow) {
	takes := w.takes(t)
	for i := range w.outputs {
		if takes>>i&1 == 0 {
			continue
		}
		o := &w.outputs[i]
		every := o.Every
		if every == 0 {
			every = o.Size
		}
		for start := floor(t, every); start > t-o.Size; start -= every {
			all = append(all, oracleWindow{i, start, start + o.Size + o.Lateness})
		}
	}
	return all
}

// takes is the set of outputs that take an event: a function of the event, here of its time.
func (w *workload) takes(t int64) uint64 {
	all := uint64(1)<<len(w.outputs) - 1
	if some := uint64(t) * 0x9e3779b97f4a7c15 >> 32 & all; w.some && some != 0 {
		return some
	}
	return all
}

func floor(t, size int64) int64 {
	return int64(math.Floor(float64(t)/float64(size))) * size
}

// describeSet folds one window's events with math/big.
func describeSet(set []occurrence, copies int) string {
	x, m, n := new(big.Rat), new(big.Int), int64(0)
	nan, inf, ms, oks := false, false, int64(0), int64(0)
	lowX, highX, lowM := set[0].x, set[0].x, int64(math.MaxInt64)
	for _, o := range set {
		switch {
		case math.IsNaN(o.x):
			nan = true
		case math.IsInf(o.x, 1):
			inf = true
		default:
			x.Add(x, new(big.Rat).SetFloat64(o.x))
		}
		lowX, highX, n = min(lowX, o.x), max(highX, o.x), n+o.n
		if o.m != math.MinInt64 {
			ms++
			m.Add(m, big.NewInt(o.m))
			lowM = min(lowM, o.m)
		}
		if o.ok {
			oks++
		}
	}
	sum, _ := x.Float64()
	mean, _ := new(big.Rat).Quo(x, new(big.Rat).SetInt64(int64(len(set)))).Float64()
	if nan || inf {
		sum = map[bool]float64{true: math.NaN(), false: math.Inf(1)}[nan]
		mean = sum
	}
	meanM, minM := schema.NullValue(), schema.NullValue()
	if ms > 0 {
		f, _ := new(big.Rat).SetFrac(m, big.NewInt(ms)).Float64()
		meanM, minM = schema.FloatValue(f), schema.IntValue(lowM)
	}
	return describe([]schema.Value{
		schema.IntValue(int64(len(set))), schema.FloatValue(sum), schema.FloatValue(mean), schema.FloatValue(lowX), schema.FloatValue(highX),
		schema.IntValue(n), meanM, minM, schema.IntValue(ms), schema.IntValue(oks), bagValue(set),
	}, int64(len(set)), int64(copies))
}

// bagValue is what a bag of m comes to.
func bagValue(set []occurrence) schema.Value {
	var items [][bagItem]byte
	for _, o := range set {
		if o.m != math.MinInt64 {
			items = append(items, bagItemOf(o.time, o.identity(), uint64(o.m)))
		}
	}
	slices.SortFunc(items, compareItems)
	return schema.Value{Kind: schema.KindBytes, Bytes: (&bagOf{items}).Append(nil)}
}

// identity is a hash of sorts that includes the time.
func (o *occurrence) identity() (id [16]byte) {
	copy(id[:], fmt.Sprintf("%c%d", o.id, o.time))
	return id
}

func describe(values []schema.Value, events, copies int64) string {
	var s strings.Builder
	for _, v := range values {
		fmt.Fprint(&s, v, " ")
	}
	fmt.Fprintf(&s, "of %d, %d copies", events, copies)
	return s.String()
}

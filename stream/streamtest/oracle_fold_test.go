package streamtest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"sort"
	"strings"
)

// oracleMember is an event in a window: the arguments of the output's aggregates, in their order.
type oracleMember struct {
	time   int64
	id     [16]byte
	copies int
	args   []any
}

// fold is what an aggregate comes to over a window's events: nil, bool, int64, float64, string or []byte.
func (a *metaAgg) fold(members []*oracleMember, i int) any {
	if a.arg == nil {
		return int64(len(members))
	}
	var of []*oracleMember
	for _, m := range members {
		if m.args[i] != nil {
			of = append(of, m)
		}
	}
	values := make([]any, len(of))
	for j, m := range of {
		values[j] = m.args[i]
	}
	switch a.fn {
	case "count":
		return int64(len(values))
	case "count_if":
		return int64(countOf(values, true))
	case "approx_distinct", "distinct":
		n := len(tallied(values))
		if limit := a.k; a.fn == "distinct" && limit > 2 && n > limit {
			return nil
		}
		return int64(n)
	case "histogram":
		return a.histogram(values)
	}
	if len(values) == 0 {
		return nil
	}
	switch a.fn {
	case "sum", "mean":
		return a.foldSum(values)
	case "min", "max":
		return a.foldExtreme(values)
	case "first", "last":
		return a.foldPlace(of, i)
	case "any":
		return countOf(values, true) > 0
	case "all":
		return countOf(values, false) == 0
	case "top_k":
		return a.foldTop(values)
	case "top_values":
		slices.SortFunc(values, func(x, y any) int { return a.order(y, x) })
		return avroArray(values[:min(a.k, len(values))], func(b []byte, v any) []byte { return appendAvroValue(b, v) })
	case "quantile":
		return a.rank(values)
	}
	return a.foldMoments(values)
}

func countOf(values []any, want bool) int {
	n := 0
	for _, v := range values {
		if v == want {
			n++
		}
	}
	return n
}

// order compares two values of one type: -0 is below 0, a NaN above all.
func (a *metaAgg) order(x, y any) int {
	switch x := x.(type) {
	case bool:
		return cmp.Compare(b2i(x), b2i(y.(bool)))
	case int64:
		return cmp.Compare(x, y.(int64))
	case float64:
		y := y.(float64)
		switch {
		case x != x || y != y:
			return cmp.Compare(b2i(x != x), b2i(y != y))
		case x == 0 && y == 0:
			return cmp.Compare(b2i(!math.Signbit(x)), b2i(!math.Signbit(y)))
		}
		return cmp.Compare(x, y)
	case string:
		return strings.Compare(x, y.(string))
	case []byte:
		if a.typ == "decimal" {
			return signed(x).Cmp(signed(y.([]byte)))
		}
		return bytes.Compare(x, y.([]byte))
	}
	panic("no order")
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tallied counts equal values: -0 is 0, and all NaN are one.
func tallied(values []any) map[any]int {
	out := map[any]int{}
	for _, v := range values {
		switch w := v.(type) {
		case float64:
			if w == 0 {
				v = 0.0
			}
			if w != w {
				v = "NaN"
			}
		case []byte:
			v = string(w)
		}
		out[v]++
	}
	return out
}

func (a *metaAgg) foldTop(values []any) any {
	type entry struct {
		v any
		n int
	}
	var entries []entry
	for v, n := range tallied(values) {
		switch values[0].(type) {
		case float64:
			if v == "NaN" {
				v = math.NaN()
			}
		case []byte:
			v = []byte(v.(string))
		}
		entries = append(entries, entry{v, n})
	}
	sort.Slice(entries, func(i, j int) bool {
		if entries[i].n != entries[j].n {
			return entries[i].n > entries[j].n
		}
		return a.order(entries[i].v, entries[j].v) < 0
	})
	return avroArray(entries[:min(a.k, len(entries))], func(b []byte, e entry) []byte {
		return binary.AppendVarint(appendAvroValue(b, e.v), int64(e.n))
	})
}

func (a *metaAgg) histogram(values []any) any {
	counts := make([]int64, len(a.bounds)+1)
	for _, v := range values {
		n := 0
		if f, ok := v.(float64); ok {
			if f != f {
				continue
			}
			for n < len(a.bounds) && a.bounds[n] <= f {
				n++
			}
		} else {
			for n < len(a.bounds) && new(big.Rat).SetFloat64(a.bounds[n]).Cmp(new(big.Rat).SetInt64(v.(int64))) <= 0 {
				n++
			}
		}
		counts[n]++
	}
	return avroArray(counts, func(b []byte, n int64) []byte { return binary.AppendVarint(b, n) })
}

func avroArray[T any](items []T, add func([]byte, T) []byte) []byte {
	b := binary.AppendVarint(nil, int64(len(items)))
	for _, item := range items {
		b = add(b, item)
	}
	return append(b, 0)
}

func appendAvroValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return append(b, byte(b2i(v)))
	case int64:
		return binary.AppendVarint(b, v)
	case float64:
		bits := math.Float64bits(v)
		if v != v {
			bits = 0x7ff8000000000001
		}
		return binary.LittleEndian.AppendUint64(b, bits)
	case string:
		return appendString(b, v)
	}
	return append(binary.AppendVarint(b, int64(len(v.([]byte)))), v.([]byte)...)
}

func (a *metaAgg) foldExtreme(values []any) any {
	best := values[0]
	for _, v := range values {
		if f, ok := v.(float64); ok && f != f {
			return f
		}
		if c := a.order(v, best); a.fn == "min" && c < 0 || a.fn == "max" && c > 0 {
			best = v
		}
	}
	return best
}

func (a *metaAgg) foldPlace(of []*oracleMember, i int) any {
	best := of[0]
	for _, m := range of[1:] {
		c := cmp.Compare(m.time, best.time)
		if c == 0 {
			c = bytes.Compare(m.id[:], best.id[:])
		}
		if c == 0 {
			c = a.order(m.args[i], best.args[i])
		}
		if a.fn == "first" && c < 0 || a.fn == "last" && c > 0 {
			best = m
		}
	}
	return best.args[i]
}

// exactly is the values as rational numbers; special is what they come to if some aren't finite.
func exactly(values []any) (numbers []*big.Rat, special float64, finite bool) {
	finite = true
	for _, v := range values {
		switch v := v.(type) {
		case int64:
			numbers = append(numbers, new(big.Rat).SetInt64(v))
		case []byte:
			numbers = append(numbers, new(big.Rat).SetFrac(signed(v), big.NewInt(100)))
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				special, finite = special+v, false
				continue
			}
			numbers = append(numbers, new(big.Rat).SetFloat64(v))
		}
	}
	return numbers, special, finite
}

func sumOf(numbers []*big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, n := range numbers {
		sum.Add(sum, n)
	}
	return sum
}

func (a *metaAgg) foldSum(values []any) any {
	numbers, special, finite := exactly(values)
	if !finite {
		return special
	}
	sum := sumOf(numbers)
	if a.fn == "mean" {
		f, _ := sum.Quo(sum, new(big.Rat).SetInt64(int64(len(values)))).Float64()
		return f
	}
	switch values[0].(type) {
	case int64:
		if !sum.Num().IsInt64() {
			return nil
		}
		return sum.Num().Int64()
	case []byte:
		return twosComplement(sum.Mul(sum, big.NewRat(100, 1)).Num())
	}
	f, _ := sum.Float64()
	return f
}

// foldMoments is variance, stddev and theirs of the population.
func (a *metaAgg) foldMoments(values []any) any {
	n := int64(len(values))
	population := strings.HasSuffix(a.fn, "_pop")
	if n < 2 && !population {
		return nil
	}
	numbers, _, finite := exactly(values)
	if !finite {
		return math.NaN()
	}
	sum, squares := sumOf(numbers), new(big.Rat)
	for _, v := range numbers {
		squares.Add(squares, new(big.Rat).Mul(v, v))
	}
	spread := squares.Mul(squares, new(big.Rat).SetInt64(n))
	spread.Sub(spread, sum.Mul(sum, sum))
	den := n * (n - 1)
	if population {
		den = n * n
	}
	spread.Quo(spread, new(big.Rat).SetInt64(den))
	if strings.HasPrefix(a.fn, "variance") {
		f, _ := spread.Float64()
		return f
	}
	const bits = 700
	root := new(big.Float).SetPrec(bits).SetRat(spread)
	f, _ := root.Sqrt(root).Float64()
	return f
}

// oracleNear is a value that a sketch may miss by a little: one of these, within 1 %.
type oracleNear []float64

// rank is the values that a quantile may stand for.
func (a *metaAgg) rank(values []any) any {
	var numbers []float64
	for _, v := range values {
		f, ok := v.(float64)
		if !ok {
			f = float64(v.(int64))
		}
		if f != f {
			return f
		}
		numbers = append(numbers, f)
	}
	slices.Sort(numbers)
	last := len(numbers) - 1
	switch a.q {
	case 0:
		return oracleNear{numbers[0], math.NaN()}
	case 1:
		return oracleNear{numbers[last], math.NaN()}
	}
	exact := new(big.Rat).Mul(new(big.Rat).SetFloat64(a.q), new(big.Rat).SetInt64(int64(last)))
	low := int(new(big.Int).Quo(exact.Num(), exact.Denom()).Int64())
	return oracleNear{numbers[low], numbers[int(math.Floor(a.q*float64(last)))]}
}

// holds says whether a value is near enough. A NaN as the second number says that the first must be met exactly.
func (n oracleNear) holds(v float64) bool {
	if n[1] != n[1] {
		return v == n[0]
	}
	for _, want := range n {
		if v == want || math.Abs(v-want) <= 0.01*math.Abs(want)+0x1p-1022 {
			return true
		}
	}
	return false
}

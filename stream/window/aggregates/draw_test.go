package aggregates

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Types that arguments have.
var (
	boolType    = schema.Type{Kind: schema.KindBool, Avro: "boolean"}
	longType    = schema.Type{Kind: schema.KindInt, Avro: "long"}
	doubleType  = schema.Type{Kind: schema.KindFloat, Avro: "double"}
	stringType  = schema.Type{Kind: schema.KindString, Avro: "string"}
	bytesType   = schema.Type{Kind: schema.KindBytes, Avro: "bytes"}
	timeType    = schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis"}
	decimalType = schema.Type{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 12, Scale: 2}
	wideType    = schema.Type{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 60, Scale: 20}
)

func drawBool(r *rand.Rand) schema.Value { return schema.BoolValue(r.IntN(2) == 0) }

// drawInt draws small ints with many ties, and the outermost.
func drawInt(r *rand.Rand) schema.Value {
	switch r.IntN(10) {
	case 0:
		return schema.IntValue([]int64{math.MinInt64, math.MaxInt64, 0, -1}[r.IntN(4)])
	case 1:
		return schema.IntValue(int64(r.Uint64()))
	}
	return schema.IntValue(r.Int64N(60) - 30)
}

// drawFinite draws doubles of every magnitude, and ties.
func drawFinite(r *rand.Rand) schema.Value {
	switch r.IntN(8) {
	case 0:
		edges := []float64{0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, lowRoot, highRoot}
		return schema.FloatValue(edges[r.IntN(len(edges))])
	case 1:
		for {
			if f := math.Float64frombits(r.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
				return schema.FloatValue(f)
			}
		}
	case 2:
		return schema.FloatValue(math.Ldexp(r.NormFloat64(), r.IntN(40)-20))
	case 3:
		return schema.FloatValue(float64(r.IntN(5)))
	}
	return schema.FloatValue(math.Round(r.NormFloat64()*1000) / 100)
}

// drawFloat draws what drawFinite does, and now and then what isn't finite.
func drawFloat(r *rand.Rand) schema.Value {
	if r.IntN(300) == 0 {
		return schema.FloatValue([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)])
	}
	return drawFinite(r)
}

// drawInfinite draws no NaN.
func drawInfinite(r *rand.Rand) schema.Value {
	if r.IntN(50) == 0 {
		return schema.FloatValue(math.Inf(r.IntN(2)*2 - 1))
	}
	return drawFinite(r)
}

func drawString(r *rand.Rand) schema.Value {
	return schema.StringValue(drawBytes(r).Bytes)
}

func drawBytes(r *rand.Rand) schema.Value {
	b := make([]byte, r.IntN(4)*r.IntN(8))
	for i := range b {
		b[i] = "abé\x00\xff"[r.IntN(6)]
	}
	return schema.BytesValue(b)
}

// drawDecimal draws up to 12 digits, a few redundant bytes among them.
func drawDecimal(r *rand.Rand) schema.Value {
	v := big.NewInt(r.Int64N(1_000_000_000_000) - 500_000_000_000)
	v.Rsh(v, uint(r.IntN(40)))
	b := bytesOf(v)
	if r.IntN(8) == 0 {
		b = append([]byte{byte(int8(b[0]) >> 7)}, b...)
	}
	return schema.BytesValue(b)
}

// drawWide draws up to 60 digits, and seldom more.
func drawWide(r *rand.Rand) schema.Value {
	b := make([]byte, 1+r.IntN(24))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if r.IntN(2000) == 0 {
		b = append([]byte{0x40}, make([]byte, 60)...)
	}
	return schema.BytesValue(b)
}

// made makes a built-in aggregate.
func made(t testing.TB, name string, in schema.Type, params ...window.Literal) window.Aggregate {
	t.Helper()
	agg, err := make1(name, in, params...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return agg
}

func make1(name string, in schema.Type, params ...window.Literal) (window.Aggregate, error) {
	defs := Definitions()
	i := slices.IndexFunc(defs, func(d window.Definition) bool { return d.Name == name })
	return defs[i].New(in, params)
}

func whole(i int64) window.Literal { return window.Literal{Kind: window.LiteralInt, Int: i} }

func number(f float64) window.Literal { return window.Literal{Kind: window.LiteralFloat, Float: f} }

func list(of ...window.Literal) window.Literal {
	return window.Literal{Kind: window.LiteralList, List: of}
}

// filled is an accumulator with values.
func filled(t testing.TB, agg window.Aggregate, values []schema.Value) window.Accumulator {
	t.Helper()
	a := agg.New()
	for i, v := range values {
		if err := a.Add(v, window.Order{Time: int64(i)}); err != nil {
			t.Fatalf("Add(%v): %v", v, err)
		}
	}
	return a
}

// valueOf is what an aggregate says of values.
func valueOf(t testing.TB, agg window.Aggregate, values []schema.Value) schema.Value {
	t.Helper()
	return valueIn(t, agg, filled(t, agg, values))
}

func valueIn(t testing.TB, agg window.Aggregate, a window.Accumulator) schema.Value {
	t.Helper()
	v, err := agg.Value(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// draws is n values.
func draws(r *rand.Rand, n int, draw func(*rand.Rand) schema.Value) []schema.Value {
	values := make([]schema.Value, n)
	for i := range values {
		values[i] = draw(r)
	}
	return values
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 11)) }

package window

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// Func is an aggregate function. Each is a commutative and associative fold of the set of a window's events (law
// L1).
type Func uint8

// The functions. Their numbers are part of the state's layout (FORMAT.md) and never change.
const (
	Count   Func = 1 // events; with an argument, events whose argument isn't null
	CountIf Func = 2 // events whose argument is true
	Sum     Func = 3 // exact sum: of ints null when it leaves 64 bits, of floats rounded once
	Min     Func = 4 // smallest; -0 is below +0; a NaN makes it NaN
	Max     Func = 5 // largest; +0 is above -0; a NaN makes it NaN
	Mean    Func = 6 // exact sum divided by the number of values, rounded once
	Custom  Func = 7 // Agg.Custom
)

// String is the function's name in a pipeline file.
func (f Func) String() string {
	switch f {
	case Count:
		return "count"
	case CountIf:
		return "count_if"
	case Sum:
		return "sum"
	case Min:
		return "min"
	case Max:
		return "max"
	case Mean:
		return "mean"
	case Custom:
		return "custom"
	}
	return fmt.Sprintf("function %d", uint8(f))
}

// Agg is one aggregate of an output. Null arguments are skipped: an aggregate of nothing but nulls is null, or 0 for
// the counts.
type Agg struct {
	Name string // for messages
	Func Func
	Arg  int         // index into Input.Args[output]; -1 for count()
	In   schema.Type // type of the argument; of no meaning when Arg is -1

	Custom Aggregate // of Func Custom: the aggregate; else nil
}

// Result is the type of the aggregate's value.
func (a Agg) Result() schema.Type {
	switch a.Func {
	case Count, CountIf:
		return schema.Type{Kind: schema.KindInt, Avro: "long"}
	case Custom:
		return a.Custom.Result()
	case Min, Max:
		t := a.In
		t.Nullable = true
		return t
	case Sum:
		if a.In.Kind == schema.KindInt {
			return schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}
		}
	}
	return schema.Type{Kind: schema.KindFloat, Avro: "double", Nullable: true}
}

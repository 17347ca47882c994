package aggregates

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/windowtest"
)

// subject is a call of a built-in aggregate.
type subject struct {
	name   string
	in     schema.Type
	params []window.Literal
	draw   func(*rand.Rand) schema.Value
}

// many makes draw's values differ more, so that limits are exceeded.
func many(r *rand.Rand) schema.Value { return schema.IntValue(r.Int64N(100_000)) }

// long draws strings that exceed a limit of bytes now and then.
func long(r *rand.Rand) schema.Value {
	if r.IntN(100) == 0 {
		return schema.StringValue(make([]byte, 3_000+r.IntN(3_000)))
	}
	return drawString(r)
}

var subjects = []subject{
	{"all", boolType, nil, drawBool},
	{"any", boolType, nil, drawBool},
	{"approx_distinct", longType, nil, drawInt},
	{"approx_distinct", doubleType, nil, drawFloat},
	{"approx_distinct", stringType, nil, drawString},
	{"approx_distinct", decimalType, nil, drawDecimal},
	{"distinct", longType, nil, drawInt},
	{"distinct", longType, []window.Literal{whole(100)}, many},
	{"distinct", doubleType, nil, drawFloat},
	{"distinct", stringType, []window.Literal{whole(30)}, drawString},
	{"distinct", bytesType, nil, drawBytes},
	{"distinct", boolType, nil, drawBool},
	{"distinct", decimalType, nil, drawDecimal},
	{"first", longType, nil, drawInt},
	{"first", timeType, nil, drawInt},
	{"first", doubleType, nil, drawFloat},
	{"first", stringType, nil, drawString},
	{"first", boolType, nil, drawBool},
	{"histogram", longType, []window.Literal{list(whole(-10), number(0.5), whole(20))}, drawInt},
	{"histogram", doubleType, []window.Literal{list(whole(0))}, drawFloat},
	{"last", bytesType, nil, drawBytes},
	{"last", decimalType, nil, drawDecimal},
	{"last", doubleType, nil, drawFloat},
	{"max", stringType, nil, drawString},
	{"max", decimalType, nil, drawDecimal},
	{"mean", decimalType, nil, drawDecimal},
	{"mean", wideType, nil, drawWide},
	{"min", bytesType, nil, drawBytes},
	{"min", wideType, nil, drawWide},
	{"quantile", longType, []window.Literal{number(0.95)}, drawInt},
	{"quantile", doubleType, []window.Literal{number(0.5)}, drawInfinite},
	{"quantile", doubleType, []window.Literal{whole(1)}, drawFloat},
	{"stddev", longType, nil, drawInt},
	{"stddev", doubleType, nil, drawFinite},
	{"stddev_pop", doubleType, nil, drawFloat},
	{"sum", decimalType, nil, drawDecimal},
	{"sum", wideType, nil, drawWide},
	{"top_k", stringType, []window.Literal{whole(3)}, drawString},
	{"top_k", longType, []window.Literal{whole(2), whole(100)}, many},
	{"top_k", doubleType, []window.Literal{whole(5)}, drawFloat},
	{"top_values", longType, []window.Literal{whole(7)}, drawInt},
	{"top_values", doubleType, []window.Literal{whole(3)}, drawFloat},
	{"top_values", stringType, []window.Literal{whole(1)}, long},
	{"top_values", decimalType, []window.Literal{whole(20)}, drawDecimal},
	{"variance", longType, nil, drawInt},
	{"variance", doubleType, nil, drawFloat},
	{"variance_pop", doubleType, nil, drawFinite},
}

func (s *subject) String() string {
	parts := []string{s.in.String()}
	for _, p := range s.params {
		parts = append(parts, p.String())
	}
	return s.name + "(" + strings.Join(parts, ", ") + ")"
}

// Every built-in aggregate keeps law L1 and the others of windowtest.
func TestLawsOfAll(t *testing.T) {
	for _, s := range subjects {
		t.Run(s.String(), func(t *testing.T) {
			windowtest.Aggregate(t, made(t, s.name, s.in, s.params...), s.draw)
		})
	}
}

// Every definition is in the suite, and sorted by a name that a pipeline file can call.
func TestDefinitionsAreInTheSuite(t *testing.T) {
	var names []string
	for _, d := range Definitions() {
		names = append(names, d.Name)
		if !slices.ContainsFunc(subjects, func(s subject) bool { return s.name == d.Name }) {
			t.Errorf("%s isn't in the suite", d.Name)
		}
		if d.New == nil || d.Params == "" || d.Max < d.Min {
			t.Errorf("%s is not defined in full: %+v", d.Name, d)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(Definitions()) {
		t.Errorf("the names %v are not in order", names)
	}
}

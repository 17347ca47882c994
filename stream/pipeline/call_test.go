package pipeline

import (
	"reflect"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
)

// calls is a builder that knows the built-in aggregates and some made for tests.
func calls(t *testing.T) *builder {
	t.Helper()
	b := &builder{p: &Pipeline{}, fs: newFaultSet("", nil)}
	b.extend()
	b.definitions["near"] = window.Definition{Name: "near", Params: "(value, place, limits)", Min: 1, Max: 2}
	return b
}

func TestParseCall(t *testing.T) {
	b := calls(t)
	for text, want := range map[string]call{
		"count()":                     {name: "count"},
		" count ( ) ":                 {name: "count"},
		"sum(distance_km)":            {name: "sum", arg: "distance_km", at: 4},
		"mean( a.b )":                 {name: "mean", arg: "a.b", at: 6},
		"max((a + b) * 2)":            {name: "max", arg: "(a + b) * 2", at: 4},
		`count_if(x == ")")`:          {name: "count_if", arg: `x == ")"`, at: 9},
		`count_if(x in ['(', "\")"])`: {name: "count_if", arg: `x in ['(', "\")"]`, at: 9},
		`count_if(x == r'\')`:         {name: "count_if", arg: `x == r'\'`, at: 9},
		`count_if(x == '''it's )''')`: {name: "count_if", arg: `x == '''it's )'''`, at: 9},
		"min(\n  a\n)":                {name: "min", arg: "a", at: 7},
		"near(f(a, b), 2)":            {name: "near", arg: "f(a, b)", at: 5, params: []window.Literal{{Kind: window.LiteralInt, Int: 2}}},
		"near(x, -0.5, [1, 'a,b'])": {name: "near", arg: "x", at: 5, params: []window.Literal{{Kind: window.LiteralFloat, Float: -0.5},
			{Kind: window.LiteralList, List: []window.Literal{{Kind: window.LiteralInt, Int: 1}, {Kind: window.LiteralText, Text: "a,b"}}}}},
		`near(x, "a\"\\", true)`: {name: "near", arg: "x", at: 5, params: []window.Literal{{Kind: window.LiteralText, Text: `a"\`}, {Kind: window.LiteralBool, Bool: true}}},
		"near(x, [])":            {name: "near", arg: "x", at: 5, params: []window.Literal{{Kind: window.LiteralList}}},
	} {
		got, at, fault := b.parseCall(text)
		if fault != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, want %+v; %v at %d", text, got, want, fault, at)
		}
		if got.arg != "" && text[got.at:got.at+len(got.arg)] != got.arg {
			t.Errorf("%q: the argument is not at %d", text, got.at)
		}
	}
	for text, wantAt := range map[string]int{"": 0, "x": 0, "sum": 0, "sum()": 3, "sum(a": 3, "sum(a))": 6, "sum(a) + 1": 6, "1": 0, "sum('a)": 3, "summ(a)": 0, "(a)": 0,
		"sum(a, 2)": 6, "near(x)": 6, "near(x, 1, 2, 3)": 13, "near(x, y)": 8, "near(x, [1, y])": 12, "near(x, )": 7, "near(x, [[[1]]])": 10,
		"near(x, 99999999999999999999)": 8, "near(x, 95%)": 8, `near(x, "\n")`: 9, "count(DISTINCT a)": 6, "count(,)": 5} {
		if got, at, fault := b.parseCall(text); fault == nil || fault.hint == "" || at != wantAt {
			t.Errorf("%q is %+v; the fault is at %d, want %d: %v", text, got, at, wantAt, fault)
		}
	}
}

func TestNamesIn(t *testing.T) {
	for text, want := range map[string][]string{
		"a > 60":                  {"a"},
		"a.b.c + f(d)":            {"a", "a.b", "a.b.c", "f", "d"},
		"a // b\n+ c":             {"a", "c"},
		`a == 'b' && c == "d\"e"`: {"a", "c"},
		`r'\' == a`:               {"r", "a"},
		"1e5 + 0xff + 7u + a1":    {"a1"},
		"x.startsWith('a')":       {"x", "x.startsWith"},
		"_a ? b: c":               {"_a", "b", "c"},
		"'never closed":           nil,
	} {
		if got := namesIn(text); !slices.Equal(got, want) {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

package pipeline

import (
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
)

func TestParseCall(t *testing.T) {
	for text, want := range map[string]call{
		"count()":                     {fn: window.Count},
		" count ( ) ":                 {fn: window.Count},
		"sum(distance_km)":            {window.Sum, "distance_km", 4},
		"mean( a.b )":                 {window.Mean, "a.b", 6},
		"max((a + b) * 2)":            {window.Max, "(a + b) * 2", 4},
		`count_if(x == ")")`:          {window.CountIf, `x == ")"`, 9},
		`count_if(x in ['(', "\")"])`: {window.CountIf, `x in ['(', "\")"]`, 9},
		`count_if(x == r'\')`:         {window.CountIf, `x == r'\'`, 9},
		`count_if(x == '''it's )''')`: {window.CountIf, `x == '''it's )'''`, 9},
		"min(\n  a\n)":                {window.Min, "a", 7},
	} {
		got, at, fault := parseCall(text)
		if fault != nil || got != want {
			t.Errorf("%q is %+v, want %+v; %v at %d", text, got, want, fault, at)
		}
		if got.arg != "" && text[got.at:got.at+len(got.arg)] != got.arg {
			t.Errorf("%q: the argument is not at %d", text, got.at)
		}
	}
	for text, wantAt := range map[string]int{"": 0, "x": 0, "sum": 0, "sum()": 3, "sum(a": 3, "sum(a))": 6, "sum(a) + 1": 6, "1": 0, "sum('a)": 3, "summ(a)": 0, "(a)": 0} {
		if got, at, fault := parseCall(text); fault == nil || fault.hint == "" || at != wantAt {
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

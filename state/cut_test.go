package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// edited returns the cut with some of its JSON replaced: each line is a path
// and a value, "counters.late = 3".
func edited(cut state.Cut, lines string) (state.Cut, error) {
	data, err := json.Marshal(cut)
	if err != nil {
		return cut, err
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return cut, err
	}
	for line := range strings.Lines(lines) {
		path, text, _ := strings.Cut(strings.TrimSpace(line), " = ")
		var value any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			return cut, fmt.Errorf("%s: %w", line, err)
		}
		if err := set(tree, strings.Split(path, "."), value); err != nil {
			return cut, fmt.Errorf("%s: %w", line, err)
		}
	}
	if data, err = json.Marshal(tree); err != nil {
		return cut, err
	}
	var next state.Cut
	return next, json.Unmarshal(data, &next)
}

func set(tree any, path []string, value any) error {
	switch node := tree.(type) {
	case map[string]any:
		if len(path) == 1 {
			node[path[0]] = value
			return nil
		}
		return set(node[path[0]], path[1:], value)
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i >= len(node) || len(path) == 1 {
			return errors.New("no such element")
		}
		return set(node[i], path[1:], value)
	}
	return errors.New("no such path")
}

// base is a cut in the middle of things.
func base() state.Cut {
	c := firstCut()
	c.Sources[0].Next, c.Sources[0].Reached, c.Sources[0].Watermark = 1000, 1357000000000, json.RawMessage(`{"base":1357000060000}`)
	c.Journal = 4
	c.Counters.Consumed, c.Counters.Aggregated, c.Counters.Late = 990, 900, 90
	c.Counters.Outputs[0].Closed, c.Counters.Outputs[0].Open = 12, 3
	c.Bound = 1357003600000
	return c
}

// Invariants 3 and 4, laws L2 and L3: which cut may follow which.
func TestCuts(t *testing.T) {
	datadriven.RunTest(t, "testdata/cuts", func(t *testing.T, d *datadriven.TestData) string {
		sh, err := state.NewShared(state.SharedOptions{FS: statetest.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		s, err := state.Open("s", sh)
		if err != nil {
			t.Fatal(err)
		}
		prev := base()
		var out string
		switch d.Cmd {
		case "first": // a first cut that differs from base in these lines
		case "next": // a cut that differs in these lines from base, after base
			err = s.Apply(&prev, nil)
		default:
			d.Fatalf(t, "unknown command")
		}
		if err != nil {
			t.Fatal(err)
		}
		cut, err := edited(prev, d.Input)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(&cut, nil); err != nil {
			out = err.Error() + "\n"
		} else {
			out = "ok\n"
			after := mustCut(t, s)
			if err := state.SameState(after, &cut); err != nil {
				t.Error(err)
			}
		}
		if err := errors.Join(s.Close(), sh.Close()); err != nil {
			t.Fatal(err)
		}
		return out
	})
}

func TestPosition(t *testing.T) {
	p := func(journal int64, next ...int64) state.Position { return state.Position{Next: next, Journal: journal} }
	for _, c := range []struct {
		a, b                state.Position
		atOrBelow, reversed bool
	}{
		{p(0, 1), p(0, 1), true, true},
		{p(0, 1), p(0, 2), true, false},
		{p(0, 1), p(1, 1), true, false},
		{p(1, 1), p(0, 2), false, false},
		{p(0, 1, 5), p(0, 2, 5), true, false},
		{p(0, 1, 5), p(0, 2, 4), false, false},
		{p(0, 1), p(0, 1, 1), false, false},
	} {
		if c.a.AtOrBelow(c.b) != c.atOrBelow || c.b.AtOrBelow(c.a) != c.reversed || c.a.Equal(c.b) != (c.atOrBelow && c.reversed) {
			t.Errorf("%v and %v", c.a, c.b)
		}
	}
}

package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// position is a place in the pipeline file; line and column count from 1.
type position struct{ line, col int }

// Fault is one thing that is wrong with a pipeline file.
type Fault struct {
	File      string // as given to Load; empty for a Pipeline made in Go
	Line, Col int    // from 1; 0 for a Pipeline made in Go
	Path      string // of the key, as in source.watermark.confirm; empty for the whole file
	Msg       string // what is wrong
	Hint      string // what to do
}

// String is the fault in one line: file:line:col: path: message (hint).
func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File + ":")
	}
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", f.Line, f.Col)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Msg)
	if f.Hint != "" {
		b.WriteString(" (" + f.Hint + ")")
	}
	return b.String()
}

// Faults are all faults of a file, in its order. They are an error, one line each.
type Faults []Fault

// Error gives one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

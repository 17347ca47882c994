package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a pipeline file.
type Fault struct {
	File      string // as given to Load; empty for a Pipeline made in Go
	Line, Col int    // from 1, the column in characters; 0 for a Pipeline made in Go
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

// complaint is what is wrong with one value, before it is known where the value stands.
type complaint struct{ msg, hint string }

func complain(hint, format string, args ...any) *complaint {
	return &complaint{msg: fmt.Sprintf(format, args...), hint: hint}
}

// faultSet collects faults. Once a path has one, further faults of it and of what lies below are dropped: they would
// follow from the first, as "is required" follows from a value that could not be read.
type faultSet struct {
	file   string
	places map[string]position
	seen   map[string]bool
	list   Faults
}

func newFaultSet(file string, places map[string]position) *faultSet {
	return &faultSet{file: file, places: places, seen: make(map[string]bool)}
}

// add reports a fault at the path's place, or at that of the nearest key around it.
func (s *faultSet) add(path string, c *complaint) {
	s.addAt(s.place(path), path, c)
}

func (s *faultSet) addAt(pos position, path string, c *complaint) {
	if !s.clean(path) {
		return
	}
	s.seen[path] = true
	s.list = append(s.list, Fault{File: s.file, Line: pos.line, Col: pos.col, Path: path, Msg: c.msg, Hint: c.hint})
}

// addKey reports a fault of a key itself, at the key's place, beside any fault of the value.
func (s *faultSet) addKey(path string, c *complaint) {
	if s.seen[keyOf(path)] {
		return
	}
	s.seen[keyOf(path)] = true
	pos, ok := s.places[keyOf(path)]
	if !ok {
		pos = s.place(path)
	}
	s.list = append(s.list, Fault{File: s.file, Line: pos.line, Col: pos.col, Path: path, Msg: c.msg, Hint: c.hint})
}

// required reports a value that is missing. Where it is empty because it could not be read, the path has a fault
// already, and this one is dropped.
func (s *faultSet) required(path string, empty bool, hint string) {
	if empty {
		s.add(path, complain(hint, "is required"))
	}
}

// clean reports whether neither the path nor anything around it has a fault.
func (s *faultSet) clean(path string) bool {
	for p := path; p != ""; p = parent(p) {
		if s.seen[p] {
			return false
		}
	}
	return true
}

// silence drops what will be said of the path: another fault has said it.
func (s *faultSet) silence(path string) { s.seen[path] = true }

func (s *faultSet) place(path string) position {
	for p := path; p != ""; p = parent(p) {
		if pos, ok := s.places[p]; ok {
			return pos
		}
	}
	return s.places[""]
}

// sorted gives the faults in the order of the file, or nil if there are none.
func (s *faultSet) sorted() Faults {
	slices.SortStableFunc(s.list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return s.list
}

// err is the faults as an error, and a nil error if there are none.
func (s *faultSet) err() error {
	if len(s.list) == 0 {
		return nil
	}
	return s.sorted()
}

// parent is the path of the key around a path: source of source.topic, outputs of outputs[0].
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// join is the path of a key below a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// keyOf names the place and the faults of a path's key, as against those of its value.
func keyOf(path string) string { return path + ":" }

// element is the path of an element of a list.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

package mutants

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mutant is one planted bug.
type Mutant struct {
	Name  string     // of its file in testdata, without .txt
	Bug   string     // what it does wrong, in a sentence
	File  string     // the source file, from the repository's root
	Hunks []Hunk     // what is replaced in it
	Tests [][]string // arguments of go test, one call each; one of them must fail
	Env   []string   // NAME=VALUE, for the tests
}

// Hunk is a piece of the source and what the bug makes of it.
type Hunk struct{ Old, New string }

// Load reads every mutant of a directory, in the order of their names.
func Load(dir string) ([]Mutant, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Mutant
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		m, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.Name = strings.TrimSuffix(filepath.Base(name), ".txt")
		all = append(all, m)
	}
	return all, nil
}

// The parts of a file, each under a line of its own. There may be several pairs.
const (
	oldLine = "-- old --\n"
	newLine = "-- new --\n"
)

// parse reads a file: lines "bug:", "file:", "test:" and "env:", then the old and the new text.
func parse(text string) (Mutant, error) {
	var m Mutant
	head, rest, ok := strings.Cut(text, oldLine)
	for ok {
		var pair string
		pair, rest, ok = strings.Cut(rest, oldLine)
		was, is, both := strings.Cut(pair, newLine)
		if !both || was == "" || was == is {
			return m, fmt.Errorf("no line %q behind an old text that changes", strings.TrimSpace(newLine))
		}
		m.Hunks = append(m.Hunks, Hunk{was, is})
	}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "bug":
			m.Bug = value
		case "file":
			m.File = value
		case "test":
			m.Tests = append(m.Tests, strings.Fields(value))
		case "env":
			m.Env = append(m.Env, strings.Fields(value)...)
		default:
			return m, fmt.Errorf("line %q", line)
		}
	}
	if m.Bug == "" || m.File == "" || len(m.Tests) == 0 || len(m.Hunks) == 0 {
		return m, fmt.Errorf("bug, file, test and an old text are needed")
	}
	return m, nil
}

// Plant returns the source file with the bug in it.
func (m *Mutant) Plant(source []byte) ([]byte, error) {
	planted := source
	for _, h := range m.Hunks {
		if n := bytes.Count(source, []byte(h.Old)); n != 1 {
			return nil, fmt.Errorf("%s: this stands %d times in %s, not once:\n%s", m.Name, n, m.File, h.Old)
		}
		planted = bytes.Replace(planted, []byte(h.Old), []byte(h.New), 1)
	}
	if _, err := format.Source(planted); err != nil {
		return nil, fmt.Errorf("%s: %s with the bug is no Go: %w", m.Name, m.File, err)
	}
	return planted, nil
}

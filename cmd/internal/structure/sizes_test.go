package structure

import (
	"bufio"
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	fileLinesMax       = 800
	fileLinesMedian    = 200
	fileLinesNineOfTen = 450
	funcLinesMax       = 70
)

var rewrite = flag.Bool("rewrite", false, "write testdata/ratchet.txt anew; larger numbers must be defended in review")

// measured is everything that is above its limit, by name: a file, or a file and a function.
func measured(all []*source) map[string]int {
	over := map[string]int{}
	for _, s := range all {
		if s.lines > fileLinesMax {
			over[s.path] = s.lines
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := s.line(f.End()) - s.line(f.Pos()) + 1; lines > funcLinesMax {
				over[s.path+":"+f.Name.Name] = lines
			}
		}
	}
	return over
}

// Invariant 3: what is above the limits is named in the ratchet, and only ever gets smaller.
func TestSizesOnlyShrink(t *testing.T) {
	over := measured(sources(t))
	name := filepath.Join("testdata", "ratchet.txt")
	if *rewrite {
		writeRatchet(t, name, over)
	}
	ratchet := readRatchet(t, name)
	for what, lines := range over {
		if limit, known := ratchet[what]; !known || lines > limit {
			t.Errorf("%s has %d lines (limits: %d a file, %d a function): split it", what, lines, fileLinesMax, funcLinesMax)
		}
	}
	for what, limit := range ratchet {
		if lines := over[what]; lines < limit {
			t.Errorf("%s has shrunk from %d to %d lines: keep it so with go test ./cmd/internal/structure -rewrite", what, limit, lines)
		}
	}
}

func TestMostFilesAreSmall(t *testing.T) {
	var lines []int
	for _, s := range sources(t) {
		lines = append(lines, s.lines)
	}
	slices.Sort(lines)
	if median := lines[len(lines)/2]; median > fileLinesMedian {
		t.Errorf("the median of all files is %d lines, above %d", median, fileLinesMedian)
	}
	if most := lines[len(lines)*9/10]; most > fileLinesNineOfTen {
		t.Errorf("nine of ten files have up to %d lines, above %d", most, fileLinesNineOfTen)
	}
}

func readRatchet(t *testing.T, name string) map[string]int {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ratchet := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var what string
		var limit int
		if strings.HasPrefix(lines.Text(), "#") || lines.Text() == "" {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "%d %s", &limit, &what); err != nil {
			t.Fatalf("%s: %q: %v", name, lines.Text(), err)
		}
		ratchet[what] = limit
	}
	return ratchet
}

func writeRatchet(t *testing.T, name string, over map[string]int) {
	t.Helper()
	names := make([]string, 0, len(over))
	for what := range over {
		names = append(names, what)
	}
	slices.Sort(names)
	text := "# What is above the limits of size, and its lines. It may only shrink.\n"
	for _, what := range names {
		text += fmt.Sprintf("%d %s\n", over[what], what)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

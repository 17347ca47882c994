package structure

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// engine are the folders in which results are decided.
var engine = []string{"schema", "stream", "state", "lake", "reconcile"}

// clock is what reads or waits for the wall clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// Invariant 4.
func TestTheEngineReadsNoWallClock(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !s.under(engine...) || s.under(testKits...) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if selected, ok := n.(*ast.SelectorExpr); ok && isName(selected.X, "time") && slices.Contains(clock, selected.Sel.Name) {
				t.Errorf("%s:%d uses time.%s: take a clock in the options", s.path, s.line(n.Pos()), selected.Sel.Name)
			}
			return true
		})
	}
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// Invariant 5.
func TestNoTestIsSkipped(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			selected, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name := selected.Sel.Name
			if s.test && (name == "Skip" || name == "Skipf" || name == "SkipNow") || name == "Short" && isName(selected.X, "testing") {
				t.Errorf("%s:%d calls %s: a test runs or isn't there", s.path, s.line(n.Pos()), name)
			}
			return true
		})
	}
}

// Invariant 5.
func TestNoErrorIsDropped(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok || a.Tok != token.ASSIGN || len(a.Rhs) != 1 {
				return true
			}
			_, call := a.Rhs[0].(*ast.CallExpr)
			if call && !slices.ContainsFunc(a.Lhs, func(e ast.Expr) bool { return !isName(e, "_") }) {
				t.Errorf("%s:%d drops what a call returns", s.path, s.line(n.Pos()))
			}
			return true
		})
	}
}

// Invariant 5. The words are put together here so that this file doesn't hold them.
func TestNothingIsLeftForLater(t *testing.T) {
	words := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "not yet" + "\""}
	for _, s := range sources(t) {
		for _, group := range s.file.Comments {
			for _, word := range words {
				if strings.Contains(group.Text(), word) {
					t.Errorf("%s:%d says %s: finish it", s.path, s.line(group.Pos()), word)
				}
			}
		}
	}
}

// TestNamesSayWhatTheyHold keeps folders out whose names say nothing.
func TestNamesSayWhatTheyHold(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc"}
	for _, s := range sources(t) {
		for _, part := range strings.Split(s.dir, "/") {
			if slices.Contains(empty, part) {
				t.Errorf("%s: a folder named %s says nothing", s.path, part)
			}
		}
		if file := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test"); slices.Contains(empty, file) {
			t.Errorf("%s: a file named %s says nothing", s.path, file)
		}
		if s.dir == "internal" || strings.HasPrefix(s.dir, "internal/") {
			t.Errorf("%s: there is no internal folder at the root", s.path)
		}
	}
}

// TestPackagesSayWhatTheyOwn wants a package comment in doc.go, or in the one file of a small package.
func TestPackagesSayWhatTheyOwn(t *testing.T) {
	said, where := map[string]bool{}, map[string]string{}
	for _, s := range sources(t) {
		if !s.test {
			where[s.dir] = s.path
			said[s.dir] = said[s.dir] || s.file.Doc != nil
		}
	}
	for dir, file := range where {
		if !said[dir] {
			t.Errorf("%s: the package has no comment that says what it owns", file)
		}
	}
}

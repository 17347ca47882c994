package crashpoint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/crashpoint"
)

// Invariant 2.
func TestEveryPointIsNamedAndHit(t *testing.T) {
	named := map[string]bool{}
	for _, p := range crashpoint.All {
		if named[p.Name] {
			t.Errorf("%s stands twice in All", p.Name)
		}
		named[p.Name] = true
		if area, step, ok := strings.Cut(p.Name, "/"); !ok || area == "" || step == "" || strings.ContainsAny(p.Name, ":, ") || p.What == "" {
			t.Errorf("%q: a name is area/step, and says what has happened: %q", p.Name, p.What)
		}
	}
	hit := hits(t)
	for name, where := range hit {
		if !named[name] {
			t.Errorf("%s hits %q, which is not in All", where, name)
		}
	}
	for name := range named {
		if hit[name] == "" {
			t.Errorf("%q is in All, and hit nowhere", name)
		}
	}
}

// hits are the names of all calls of Hit outside of tests, with one place of each.
func hits(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isHit(call.Fun) {
				where := set.Position(call.Pos()).String()
				name, literal := call.Args[0].(*ast.BasicLit)
				if !literal {
					t.Errorf("%s: the name of a point is a literal, so that it can be found", where)
					return true
				}
				text, err := strconv.Unquote(name.Value)
				if err != nil {
					t.Errorf("%s: %v", where, err)
				}
				found[text] = where
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isHit(fun ast.Expr) bool {
	selected, ok := fun.(*ast.SelectorExpr)
	if !ok || selected.Sel.Name != "Hit" {
		return false
	}
	from, ok := selected.X.(*ast.Ident)
	return ok && from.Name == "crashpoint"
}

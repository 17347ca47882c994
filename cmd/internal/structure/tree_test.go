package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tidemark-io/tidemark"

// source is one Go file of the repository.
type source struct {
	path    string // slash-separated, from the repository's root
	dir     string // of the package; "." is the root
	test    bool
	lines   int
	file    *ast.File
	set     *token.FileSet
	imports []string
}

func (s *source) line(at token.Pos) int { return s.set.Position(at).Line }

// under says whether the file is in one of the folders or below.
func (s *source) under(folders ...string) bool {
	for _, f := range folders {
		if s.dir == f || strings.HasPrefix(s.dir, f+"/") {
			return true
		}
	}
	return false
}

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above this folder")
		}
		dir = up
	}
}

// sources are all Go files of the repository, parsed.
func sources(t *testing.T) []*source {
	t.Helper()
	top := root(t)
	var all []*source
	err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "_")
		if entry.IsDir() {
			if name != top && (hidden || entry.Name() == "testdata" || entry.Name() == "tidemark-data") {
				return filepath.SkipDir
			}
			return nil
		}
		if hidden || !strings.HasSuffix(name, ".go") {
			return nil
		}
		s, err := parse(top, name)
		if err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d Go files below %s", len(all), top)
	}
	return all
}

func parse(top, name string) (*source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(top, name)
	if err != nil {
		return nil, err
	}
	s := &source{path: filepath.ToSlash(rel), set: token.NewFileSet(), lines: strings.Count(string(text), "\n")}
	s.dir, s.test = path.Dir(s.path), strings.HasSuffix(s.path, "_test.go")
	if s.file, err = parser.ParseFile(s.set, s.path, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	for _, spec := range s.file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		s.imports = append(s.imports, imported)
	}
	return s, nil
}

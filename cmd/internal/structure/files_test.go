package structure

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fileName is a file or a pattern of files in a map.
var fileName = regexp.MustCompile(`[\w*]+\.go\b`)

// Invariant 6: a map that has drifted is worse than none.
func TestMapsHaveAllFiles(t *testing.T) {
	all := sources(t)
	for _, s := range all {
		if s.test || s.file.Doc == nil {
			continue
		}
		_, list, has := strings.Cut(s.file.Doc.Text(), "# Files")
		if !has {
			continue
		}
		names := fileName.FindAllString(list, -1)
		found := make([]int, len(names))
		for _, other := range all {
			if other.test || other.dir != s.dir || other == s {
				continue
			}
			at := slices.IndexFunc(names, func(pattern string) bool {
				matches, err := path.Match(pattern, path.Base(other.path))
				return err == nil && matches
			})
			if at < 0 {
				t.Errorf("%s has no %s in its map of the files", s.path, path.Base(other.path))
				continue
			}
			found[at]++
		}
		for i, n := range found {
			if n == 0 {
				t.Errorf("%s has %s in its map of the files: there is no such file, or it stands there twice", s.path, names[i])
			}
		}
	}
}

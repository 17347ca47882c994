package damage_test

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// kind is what a file or an object is.
type kind string

// kinds of what is at rest, each known by its path. Disk paths begin with a slash, keys of the bucket don't.
var kinds = []struct {
	kind
	path *regexp.Regexp
}{
	{"local table", regexp.MustCompile(`^/state/.*\.sst$`)},
	{"local MANIFEST", regexp.MustCompile(`^/state/.*/MANIFEST-\d+$`)},
	{"local OPTIONS", regexp.MustCompile(`^/state/.*/OPTIONS-\d+$`)},
	{"local marker", regexp.MustCompile(`^/state/.*/marker\.`)},
	{"local WAL", regexp.MustCompile(`^/state/.*/\d+\.log$`)},
	{"local lock", regexp.MustCompile(`^/state/.*LOCK$`)},
	{"checkpoint file", regexp.MustCompile(`^checkpoints/.*/files/`)},
	{"checkpoint manifest", regexp.MustCompile(`^checkpoints/.*\.json$`)},
	{"lake declaration", regexp.MustCompile(`^raw/[^/]*/_(topic\.json|schema/)`)},
	{"lake log start", regexp.MustCompile(`^raw/[^/]*/_log/_start/`)},
	{"source log entry", regexp.MustCompile(`^raw/(clicks|orders)/_log/`)},
	{"result log entry", regexp.MustCompile(`^raw/[^/]*/_log/`)},
	{"quarantine file", regexp.MustCompile(`^raw/[^/]*/_quarantine/`)},
	{"source file", regexp.MustCompile(`^raw/(clicks|orders)/dt=`)},
	{"result file", regexp.MustCompile(`^raw/[^/]*/dt=`)},
	{"plan", regexp.MustCompile(`^reconcile/[^/]*/plans/`)},
	{"certificate", regexp.MustCompile(`^reconcile/`)},
}

func kindOf(path string) kind {
	for _, k := range kinds {
		if k.path.MatchString(path) {
			return k.kind
		}
	}
	return "unknown"
}

// rest is everything at rest at one moment: contents by path.
type rest map[string][]byte

func (w *world) rest() rest {
	w.t.Helper()
	all, err := statetest.Files(w.disk, "/")
	w.must(err)
	r := rest(all)
	w.must(w.bucket.List(w.t.Context(), "", func(o blob.Object) error {
		data, err := w.bucket.Get(w.t.Context(), o.Key)
		r[o.Key] = data
		return err
	}))
	return r
}

// put sets a file or an object; nil removes it.
func (w *world) put(name string, data []byte) {
	w.t.Helper()
	switch {
	case strings.HasPrefix(name, "/") && data == nil:
		w.must(w.disk.Remove(name))
	case strings.HasPrefix(name, "/"):
		w.must(statetest.Write(w.disk, name, data))
	case data == nil:
		w.must(w.bucket.Delete(w.t.Context(), name))
	default:
		w.must(w.bucket.Put(w.t.Context(), name, data))
	}
}

// paths in their order.
func (r rest) paths() []string { return slices.Sorted(maps.Keys(r)) }

// byKind lists the paths of each kind.
func (r rest) byKind() map[kind][]string {
	all := map[kind][]string{}
	for _, p := range r.paths() {
		all[kindOf(p)] = append(all[kindOf(p)], p)
	}
	return all
}

// below lists what lies below a prefix.
func (r rest) below(prefix string) []string {
	return slices.DeleteFunc(r.paths(), func(p string) bool { return !strings.HasPrefix(p, prefix) })
}

// siblings are other things of the same kind with other contents.
func (r rest) siblings(name string) []string {
	return slices.DeleteFunc(r.byKind()[kindOf(name)], func(p string) bool { return p == name || bytes.Equal(r[p], r[name]) })
}

// names reports whether a text names the thing: itself, or for a file of a state directory that directory.
func names(text, name string) bool {
	if strings.HasPrefix(name, "/") {
		return strings.Contains(text, path.Dir(name))
	}
	return strings.Contains(text, name) || strings.Contains(text, path.Base(name))
}

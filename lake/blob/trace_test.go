package blob

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

var errDisk = errors.New("disk fault")

// traceFS records every operation and fails the failAt-th (from 1).
type traceFS struct {
	inner  fsys
	ops    []string
	failAt int
}

func (f *traceFS) do(op string, call func() error) error {
	f.ops = append(f.ops, op)
	if len(f.ops) == f.failAt {
		return fmt.Errorf("%s: %w", op, errDisk)
	}
	return call()
}

func (f *traceFS) Mkdir(name string) error {
	return f.do("mkdir "+name, func() error { return f.inner.Mkdir(name) })
}

func (f *traceFS) Create(name string) (out file, err error) {
	err = f.do("create "+name, func() error {
		inner, err := f.inner.Create(name)
		out = traceFile{f, name, inner}
		return err
	})
	return out, err
}

func (f *traceFS) Link(from, to string) error {
	return f.do("link "+from+" "+to, func() error { return f.inner.Link(from, to) })
}

func (f *traceFS) Rename(from, to string) error {
	return f.do("rename "+from+" "+to, func() error { return f.inner.Rename(from, to) })
}

func (f *traceFS) Remove(name string) error {
	return f.do("remove "+name, func() error { return f.inner.Remove(name) })
}

func (f *traceFS) SyncDir(name string) error {
	return f.do("sync-dir "+name, func() error { return f.inner.SyncDir(name) })
}

type traceFile struct {
	fs    *traceFS
	name  string
	inner file
}

func (f traceFile) Write(p []byte) (n int, err error) {
	err = f.fs.do(fmt.Sprintf("write %s %d bytes", f.name, len(p)), func() error {
		n, err = f.inner.Write(p)
		return err
	})
	return n, err
}

func (f traceFile) Sync() error {
	return f.fs.do("sync "+f.name, func() error { return f.inner.Sync() })
}

// Close closes in any case, so that a fault leaks no descriptor.
func (f traceFile) Close() error {
	closed := f.inner.Close()
	return f.fs.do("close "+f.name, func() error { return closed })
}

// traced opens a bucket whose temporary names are t1, t2, ...
func traced(t *testing.T, dir string) (*Dir, *traceFS) {
	t.Helper()
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	trace := &traceFS{inner: d.fs}
	n := 0
	d.fs, d.tempName = trace, func() string { n++; return fmt.Sprintf("t%d", n) }
	return d, trace
}

// TestDirTrace is golden (invariants 1 and 3): a lost or misplaced fsync is a
// difference in testdata/dir_put.
func TestDirTrace(t *testing.T) {
	var d *Dir
	var trace *traceFS
	dir := t.TempDir()
	datadriven.RunTest(t, "testdata/dir_put", func(t *testing.T, td *datadriven.TestData) string {
		if td.Cmd == "open" {
			d, trace = traced(t, dir)
			return "ok"
		}
		var key string
		td.ScanArgs(t, "key", &key)
		trace.ops = nil
		var err error
		switch td.Cmd {
		case "put":
			err = d.Put(t.Context(), key, []byte(td.Input), []byte("second piece"))
		case "put-if-absent":
			err = d.PutIfAbsent(t.Context(), key, []byte(td.Input), []byte("second piece"))
		case "delete":
			err = d.Delete(t.Context(), key)
		default:
			td.Fatalf(t, "unknown command")
		}
		out := strings.Join(trace.ops, "\n") + "\n"
		if err != nil {
			out += "error: " + err.Error() + "\n"
		}
		return out
	})
}

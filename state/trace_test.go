package state_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// trace collects what is done to disk and bucket: one line for each operation
// that changes something or makes it durable, and for each bucket call.
type trace struct {
	mu    sync.Mutex
	lines []string
}

var (
	// reading changes nothing, and caches decide how much of it there is.
	reading = regexp.MustCompile(`^(open|open-dir|close|read-at|prefetch|lock)\b`)
	content = regexp.MustCompile(`[0-9a-f]{64}(-[0-9a-f]{16})?`)
)

func (tr *trace) log(line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !reading.MatchString(line) {
		tr.lines = append(tr.lines, "disk   "+line)
	}
}

func (tr *trace) bucket(method, key string) error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.lines = append(tr.lines, "bucket "+method+" "+content.ReplaceAllString(strings.TrimPrefix(key, prefix+"/"), "<sha256>"))
	return nil
}

// take returns the lines since the last take. Files are restored side by side,
// so up to the rename the order is not said.
func (tr *trace) take(anyOrder bool) string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	lines := tr.lines
	tr.lines = nil
	if anyOrder {
		rename := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, "rename") })
		slices.Sort(lines[:max(0, rename)])
	}
	lines = slices.Compact(lines) // how many tables there are is Pebble's affair
	if len(lines) == 0 {
		return "nothing\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// Invariants 5 and 8: every file and bucket call of one commit and of one
// checkpoint, in order. A lost sync, or a manifest before its files, is a diff.
func TestTrace(t *testing.T) {
	tr := new(trace)
	sh := newShared(t, statetest.Tracing(statetest.NewMem(), tr.log))
	bucket := &statetest.Bucket{Bucket: blob.NewMemory(), Hook: tr.bucket}
	var s *state.Store
	var m *state.Manifest
	cut := firstCut()
	datadriven.RunTest(t, "testdata/trace", func(t *testing.T, d *datadriven.TestData) string {
		var err error
		switch d.Cmd {
		case "open":
			s, err = state.Open("state/2", sh)
		case "apply":
			cut.Sources[0].Next++
			err = s.Apply(&cut, func(b state.Batch) error {
				return errors.Join(b.Set(windowKey(1, 0), nil), b.DeleteRange(windowKey(2, 0), windowKey(3, 0)))
			})
		case "checkpoint":
			o := options()
			o.Parallel = 1
			d.MaybeScanArgs(t, "keep", &o.Keep)
			m, _, err = s.Checkpoint(t.Context(), bucket, o)
		case "close":
			err = s.Close()
		case "aside":
			_, err = state.SetAside("state/2", "a test", sh)
		case "restore":
			err = state.Restore(t.Context(), bucket, prefix, m, "state/2", sh)
		default:
			d.Fatalf(t, "unknown command")
		}
		if err != nil {
			t.Fatal(err)
		}
		out := tr.take(d.Cmd == "restore")
		if d.HasArg("bucket") { // a compaction may run at the same time
			out = regexp.MustCompile(`(?m)^(disk .*|nothing)\n`).ReplaceAllString(out, "")
		}
		return out
	})
}

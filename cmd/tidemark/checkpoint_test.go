package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/state"
)

// The commands that look into state and checkpoints, one after another, on what a run has left.
func TestStateAndCheckpoints(t *testing.T) {
	b := weather(t)
	manifests := func() []string {
		found, err := filepath.Glob(filepath.Join("lake", "checkpoints", "weather", "1", "0*.json"))
		if err != nil || len(found) == 0 {
			t.Fatalf("checkpoints %v, %v", found, err)
		}
		return found
	}
	produced := 0
	var held []io.Closer
	datadriven.RunTest(t, filepath.Join(testdata(t), "checkpoints"), func(t *testing.T, d *datadriven.TestData) string {
		line := strings.ReplaceAll(strings.TrimSpace(d.Input), "$BROKERS", b.Addr())
		switch d.Cmd {
		case "damage": // a byte of the largest file of the newest checkpoint of task 1
			all := manifests()
			damageLargest(t, all[len(all)-1])
			return ""
		case "hold": // as a run of --id main would
			held = append(held, holdState(t)...)
			return ""
		case "release":
			for _, h := range held {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			}
			return ""
		case "run":
			runUntilRead(t, produced)
			return ""
		}
		stdin := ""
		if d.HasArg("stdin") {
			stdin, produced = readingsLines, produced+11
		}
		if d.HasArg("later") {
			stdin = strings.ReplaceAll(readingsLines, "2013-01-09", "2013-01-10")
			produced += 11
		}
		r := tidemarkIn(t.Context(), t, stdin, strings.Fields(line)...)
		return steadyState(steady(fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.err)))
	})
}

// holdState takes the directory of the process and the state of task 0.
func holdState(t *testing.T) []io.Closer {
	t.Helper()
	sh, err := state.NewShared(state.SharedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("state", "weather", "main")
	held, err := state.Hold(dir, sh)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(filepath.Join(dir, "0"), sh)
	if err != nil {
		t.Fatal(err)
	}
	return []io.Closer{store, held, sh}
}

// runUntilRead runs the pipeline until it has read so many records, and stops it.
func runUntilRead(t *testing.T, records int) {
	t.Helper()
	p := start(t, "run", "-f", "pipeline.yaml", "--listen", "127.0.0.1:0", "-o", "json")
	var started struct {
		Page string `json:"page"`
	}
	p.next(t, "RunStarted", &started)
	consumed := fmt.Sprintf(`tidemark_events_consumed_total{partition="1",pipeline="weather",topic="readings"} %d`+"\n", records)
	for _, body := get(t, started.Page+"metrics"); !strings.Contains(body, consumed); _, body = get(t, started.Page+"metrics") {
		time.Sleep(10 * time.Millisecond) // until it has read all: the test's own deadline is the limit
	}
	if code, last := p.stop(t, syscall.SIGTERM); code != 143 {
		t.Fatalf("exit %d: %s", code, last)
	}
}

// damageLargest flips a bit of the largest file that a manifest names.
func damageLargest(t *testing.T, manifest string) {
	t.Helper()
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	object, most := "", int64(0)
	for _, f := range regexp.MustCompile(`"sha256":"([0-9a-f]{64})","upload":"([0-9a-f]{16})"`).FindAllStringSubmatch(string(text), -1) {
		name := filepath.Join(filepath.Dir(manifest), "files", f[1]+"-"+f[2])
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most {
			object, most = name, info.Size()
		}
	}
	data, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.Chmod(object, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(object, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// What differs from run to run in names of objects, and in what Pebble makes of a state.
var stateVarying = []struct {
	find *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`[0-9a-f]{64}(-[0-9a-f]{16})?`), "<object>"},
	{regexp.MustCompile(`crc32c [0-9a-f]{8}`), "crc32c <crc>"},
	{regexp.MustCompile(`want \d+, [0-9a-f]{8}`), "want <size>, <crc>"},
	{regexp.MustCompile(`(OPTIONS|MANIFEST)-\d{6}|\d{6}\.sst`), "<file>"},
	{regexp.MustCompile(`"(files|disk_bytes|shared_bytes|bytes_read|bytes)":\d+`), `"$1":0`},
	{regexp.MustCompile(`\d+ (files?|%|s|min)\b`), "<n> $1"},
	{regexp.MustCompile(`\d+ %`), "<n> %"},
	{regexp.MustCompile(`"dir":"[^"]*/state/`), `"dir":"state/`},
	{regexp.MustCompile(`/[^ "]*/state/weather`), "state/weather"},
	{regexp.MustCompile(` +`), " "},
}

func steadyState(text string) string {
	for _, v := range stateVarying {
		text = v.find.ReplaceAllString(text, v.with)
	}
	return text
}

package trial

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Result is what one run of a campaign came to: a line of benchmarks/results/faults.jsonl.
type Result struct {
	Campaign string           `json:"campaign"`         // as the README's table names the fault
	N        int              `json:"n"`                // faults done, or seeds run
	Seed     uint64           `json:"seed"`             // what draws them
	Failures int              `json:"failures"`         // tests of them that failed
	Counts   map[string]int64 `json:"counts,omitempty"` // what was done and checked, by kind
	Broker   string           `json:"broker,omitempty"` // what stood for Kafka, e.g. "Apache Kafka 4.1.0"
	Seconds  float64          `json:"seconds"`
	Note     string           `json:"note,omitempty"`

	// Filled in by Record unless set.
	At     string `json:"at"`     // UTC
	Commit string `json:"commit"` // of the code that was run; "+" if the tree had changes
	CPUs   int    `json:"cpus"`
}

// Record appends a result to benchmarks/results/faults.jsonl of the repository if TIDEMARK_RECORD is set: to 1, or to
// another file's path. TIDEMARK_COMMIT names the commit where there is no repository to ask.
func Record(tb testing.TB, r Result) {
	tb.Helper()
	to := os.Getenv("TIDEMARK_RECORD")
	if to == "" {
		return
	}
	if to == "1" {
		to = filepath.Join(root(tb), "benchmarks", "results", "faults.jsonl")
	}
	if r.At == "" {
		r.At = time.Now().UTC().Format(time.RFC3339)
	}
	if r.Commit == "" {
		r.Commit = commit()
	}
	r.CPUs = runtime.NumCPU()
	line, err := json.Marshal(&r)
	if err != nil {
		tb.Fatalf("record: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		tb.Fatalf("record: %v", err)
	}
	file, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		tb.Fatalf("record: %v", err)
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		tb.Errorf("record: %v", err)
	}
	if err := file.Close(); err != nil {
		tb.Errorf("record: %v", err)
	}
}

// root is the folder of go.mod.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			tb.Fatal("no go.mod above this folder")
		}
		dir = up
	}
}

func commit() string {
	if set := os.Getenv("TIDEMARK_COMMIT"); set != "" {
		return set
	}
	head, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(head))
	if changes, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changes) > 0 {
		name += "+"
	}
	return name
}

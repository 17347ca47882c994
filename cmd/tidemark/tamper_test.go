package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One altered byte of a raw file is found by verify and by audit, and both exit 3.
func TestAnAlteredFileIsFound(t *testing.T) {
	b := weather(t)
	must(t, 0, "produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", b.Addr(), "--partitions", "2",
		"--input", "readings.jsonl", "-q")
	must(t, 0, "run", "-f", "pipeline.yaml", "--until", "end", "--listen", "127.0.0.1:0", "-q")
	plan := must(t, exitDiffers, "reconcile", "plan", "-f", "pipeline.yaml", "-q").out
	id := strings.TrimPrefix(strings.SplitN(plan, ":", 2)[0], "reconcile plan ")
	must(t, 0, "reconcile", "apply", "-f", "pipeline.yaml", "-q", "--approve", id, "--reason", "known")
	must(t, 0, "audit", "-f", "pipeline.yaml", "-q")
	must(t, 0, "lake", "verify", "-f", "pipeline.yaml")

	name := filepath.Join("lake", filepath.FromSlash(lakeFile(t, "readings/dt=2013-01-09/hr=10")))
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-20] ^= 1
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := must(t, exitDiffers, "lake", "verify", "-f", "pipeline.yaml"); !strings.Contains(r.out, "readings: 1 fault") {
		t.Errorf("verify says\n%s", r.out)
	}
	if r := must(t, exitDiffers, "audit", "-f", "pipeline.yaml", "-q"); !strings.Contains(r.out, "DIFFERENT") || !strings.Contains(r.out, "first difference") {
		t.Errorf("audit says\n%s", r.out)
	}
}

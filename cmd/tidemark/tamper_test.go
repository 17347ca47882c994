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

	alter(t, "readings/dt=2013-01-09/hr=10")
	if r := must(t, exitDiffers, "lake", "verify", "-f", "pipeline.yaml"); !strings.Contains(r.out, "readings: 1 fault") {
		t.Errorf("verify says\n%s", r.out)
	}
	if r := must(t, exitDiffers, "audit", "-f", "pipeline.yaml", "-q"); !strings.Contains(r.out, "DIFFERENT") || !strings.Contains(r.out, "first difference") {
		t.Errorf("audit says\n%s", r.out)
	}
}

// alter changes one byte of the raw file that holds an hour.
func alter(t *testing.T, hour string) {
	t.Helper()
	name := filepath.Join("lake", filepath.FromSlash(lakeFile(t, hour)))
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
}

// A raw file that is altered before its hour is certified keeps that hour from being so, and no other: plan and run name it, say what to
// do, and exit 1. When nothing is certified, an audit exits 5.
func TestAnAlteredFileIsSetAside(t *testing.T) {
	b := weather(t)
	must(t, 0, "produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", b.Addr(), "--partitions", "2",
		"--input", "readings.jsonl", "-q")
	must(t, 0, "run", "-f", "pipeline.yaml", "--until", "end", "--listen", "127.0.0.1:0", "-q")
	if r := must(t, exitTryAgain, "audit", "-f", "pipeline.yaml", "-q"); !strings.Contains(r.err, "nothing is certified yet: tidemark reconcile run") {
		t.Errorf("audit says\n%s%s", r.out, r.err)
	}
	plan := must(t, exitDiffers, "reconcile", "plan", "-f", "pipeline.yaml", "-q").out
	id := strings.TrimPrefix(strings.SplitN(plan, ":", 2)[0], "reconcile plan ")
	alter(t, "readings/dt=2013-01-09/hr=10")
	r := must(t, exitFailed, "reconcile", "apply", "-f", "pipeline.yaml", "-q", "--approve", id, "--reason", "known")
	for _, part := range []string{"set aside: hourly dt=2013-01-09/hr=10: corrupt lake object raw/readings/dt=2013-01-09/hr=10/", "restore these objects from a copy", "tidemark lake verify"} {
		if !strings.Contains(r.out, part) || !strings.Contains(r.err, strings.TrimPrefix(part, "set aside: hourly dt=2013-01-09/hr=10: ")) {
			t.Errorf("apply doesn't say %q, but\n%s%s", part, r.out, r.err)
		}
	}
	if strings.Contains(r.out, "certified 0 units") {
		t.Errorf("nothing was certified: %s", r.out)
	}
	if r := must(t, exitFailed, "reconcile", "plan", "-f", "pipeline.yaml", "-q"); !strings.Contains(r.out, "set aside: hourly dt=2013-01-09/hr=10") {
		t.Errorf("plan says\n%s", r.out)
	}
	if r := must(t, 0, "audit", "-f", "pipeline.yaml", "-q"); !strings.Contains(r.out, "hourly dt=2013-01-09/hr=10 has no certificate: tidemark reconcile run") {
		t.Errorf("audit says\n%s", r.out)
	}
}

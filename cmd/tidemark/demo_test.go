package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The story that the demo tells, word by word: first, again over what is there, and after kills. Its numbers are those
// that cmd/internal/flights computes without the engine (TestStoryOfTheDemo).
func TestDemoTellsItsStory(t *testing.T) {
	t.Setenv(asCommand, "1") // for the processes that --chaos starts and kills
	t.Chdir(t.TempDir())
	datadriven.RunTest(t, filepath.Join(testdata(t), "demo"), func(t *testing.T, d *datadriven.TestData) string {
		r := tidemark(t, strings.Fields(d.Input)...)
		return steady(fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.err))
	})
	facts := demoReport(t, must(t, 0, "demo", "flights", "-q", "-o", "json").out)
	checkFacts(t, facts)
	if facts.Produced != 0 || facts.Correct.Due != 0 || facts.Published != 0 || facts.Certified != 0 {
		t.Errorf("a run over what is complete produced %d records, found %d units due, published %d corrections and certified %d units",
			facts.Produced, facts.Correct.Due, facts.Published, facts.Certified)
	}
	if r := must(t, 0, "demo", "flights"); strings.Contains(r.err, "producing") {
		t.Errorf("a bar of what was not produced: %s", r.err)
	}
}

func demoReport(t *testing.T, out string) demoFacts {
	t.Helper()
	var facts demoFacts
	if err := json.Unmarshal([]byte(out), &facts); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return facts
}

// root of the month's results: a function of the events and of the pipeline file alone, so it is the same on every
// machine, in every lane, after any number of kills.
const demoRoot = "sha256:abfc6d2a689071afdde81b4fd7f2d55ee8050a270521e4bd3ad23a55fc634f5a"

func checkFacts(t *testing.T, f demoFacts) {
	t.Helper()
	hero := func(i int, values map[string]any) string {
		return fmt.Sprintf("%s %s %v flights mean %.2f over %v", f.Heroes[i].Key, f.Heroes[i].Window.Format(minuteLayout),
			values["flights"], values["mean_delay"], values["over_60"])
	}
	if len(f.Heroes) != 2 || len(f.Heroes[0].Late) != 1 {
		t.Fatalf("windows %+v", f.Heroes)
	}
	for _, c := range []struct{ what, got, want string }{
		{"data", fmt.Sprint(f.Departures, f.Cancelled, f.Copies, f.Records), "26483 521 256 26739"},
		{"accounting", accountingText(&printer{}, f.Accounting), "consumed 26,739 = aggregated 25,531 + duplicate 256 + late 952 + filtered 0 + invalid 0   balanced"},
		{"lake", fmt.Sprint(f.WindowsClosed, f.LakeRecords, f.ExactlyOnce), "1642 26739 true"},
		{"stream", fmt.Sprintf("%d %d %.2f %.2f", f.Stream.Flights, f.Stream.Over60, f.Stream.Mean, f.Stream.Percent), "25531 875 5.03 3.43"},
		{"lake", fmt.Sprintf("%d %d %.2f %.2f", f.Lake.Flights, f.Lake.Over60, f.Lake.Mean, f.Lake.Percent), "26483 1821 10.04 6.88"},
		{"hero", hero(0, f.Heroes[0].Before), "JFK 2013-01-09T14:00Z 18 flights mean 1.00 over 0"},
		{"hero", hero(0, f.Heroes[0].After), "JFK 2013-01-09T14:00Z 19 flights mean 69.42 over 1"},
		{"hero", hero(1, f.Heroes[1].Before), "EWR 2013-01-26T00:00Z 6 flights mean 52.33 over 4"},
		{"hero", hero(1, f.Heroes[1].After), "EWR 2013-01-26T00:00Z 16 flights mean 115.44 over 14"},
		{"late", f.Heroes[0].Late[0].Flight, "HA51 to HNL"},
		{"corrections", fmt.Sprint(f.Corrections, f.Units), "542 589"},
		{"audit", fmt.Sprintf("%d %d %s", f.Audit.Windows, f.Audit.Equal, f.Audit.Root), "1642 1642 " + demoRoot},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}

// Ctrl-C anywhere is safe: the process ends with 130, and the next one goes on to the same end.
func TestDemoSurvivesCtrlC(t *testing.T) {
	dir := t.TempDir()
	for _, after := range []string{"producing", "running"} {
		code, out := interrupted(t, dir, after)
		if code != 130 {
			t.Fatalf("stopped after %q: exit %d, want 130\n%s", after, code, out)
		}
	}
	checkFacts(t, demoReport(t, must(t, 0, "demo", "flights", "-q", "-o", "json", "--out", dir).out))
}

// interrupted starts the demo as a process, sends SIGINT once it prints a line that begins so, and gives its exit code.
func interrupted(t *testing.T, dir, line string) (code int, out string) {
	t.Helper()
	demo := exec.CommandContext(t.Context(), os.Args[0], "demo", "flights", "-q", "--out", dir)
	demo.Env = append(os.Environ(), asCommand+"=1")
	demo.Stderr = os.Stderr
	stdout, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		out += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), line) {
			if err := demo.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := demo.Wait(); err == nil {
		return 0, out
	}
	return demo.ProcessState.ExitCode(), out
}

// A folder whose files were changed isn't overwritten, and --fresh moves it aside.
func TestDemoKeepsChangedFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeDemoFiles("data"); err != nil {
		t.Fatal(err)
	}
	const changed = "# mine\n"
	if err := os.WriteFile("data/flights.yaml", []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	r := tidemark(t, "demo", "flights", "--out", "data")
	if r.code != exitUsage || !strings.Contains(r.err, "isn't the demo's own") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	if text, err := os.ReadFile("data/flights.yaml"); err != nil || string(text) != changed {
		t.Errorf("the file was changed: %q, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := tidemarkIn(ctx, t, "", "demo", "flights", "--out", "data", "--fresh"); !strings.Contains(r.err, "moved data to data.aside-") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}

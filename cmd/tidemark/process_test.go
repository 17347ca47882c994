package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is the real program, started by a test.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), asCommand+"=1")
	p.cmd.Stderr = t.Output()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// next is the next document that the process prints.
func (p *process) next(t *testing.T, kind string, into any) {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the process ended before it printed a %s: %v", kind, p.lines.Err())
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(p.lines.Bytes(), &head); err != nil || head.Kind != kind {
		t.Fatalf("got %s, want a %s: %v", p.lines.Text(), kind, err)
	}
	if err := json.Unmarshal(p.lines.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}

// stop sends a signal and gives the exit code, once everything that the process printed is read.
func (p *process) stop(t *testing.T, s syscall.Signal) (code int, last string) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		last = p.lines.Text()
	}
	if err := p.cmd.Wait(); err == nil {
		return 0, last
	}
	return p.cmd.ProcessState.ExitCode(), last
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// A run serves its page, its metrics and its probes; a signal ends it cleanly, and what it had read is accounted for.
func TestRunServesAndStopsOnSignals(t *testing.T) {
	b := weather(t)
	must(t, 0, "produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", b.Addr(), "--partitions", "2",
		"--input", "readings.jsonl", "-q")
	for _, c := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGTERM, 143}, {syscall.SIGINT, 130}} {
		p := start(t, "run", "-f", "pipeline.yaml", "--listen", "127.0.0.1:0", "-o", "json")
		var started struct {
			Pipeline string `json:"pipeline"`
			Page     string `json:"page"`
		}
		p.next(t, "RunStarted", &started)
		consumed := `tidemark_events_consumed_total{partition="1",pipeline="weather",topic="readings"} 11`
		for _, body := get(t, started.Page+"metrics"); !strings.Contains(body, consumed); _, body = get(t, started.Page+"metrics") {
			time.Sleep(10 * time.Millisecond) // until it has read all: the test's own deadline is the limit
		}
		for path, want := range map[string]string{
			"healthz": "ok", "readyz": "ready: 2 tasks", "api/v1/status": `"kind":"Status"`, "": "RUNNING 2 of 2 tasks here",
		} {
			if code, body := get(t, started.Page+path); code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("/%s: %d %s", path, code, body)
			}
		}
		code, last := p.stop(t, c.signal)
		if code != c.code || !strings.Contains(last, `"consumed":11,"aggregated":9,"duplicate":1,"late":1`) {
			t.Errorf("%v: exit %d, last line %s", c.signal, code, last)
		}
	}
}

// dev keeps its topics over restarts, refuses a second process over the same folder, and --fresh moves them aside.
func TestDevKeepsItsTopics(t *testing.T) {
	b := weather(t)
	if err := b.Close(); err != nil { // dev has a broker of its own
		t.Fatal(err)
	}
	var started struct {
		Broker string `json:"broker"`
		Page   string `json:"page"`
	}
	args := []string{"dev", "--data", ".", "--kafka-port", "0", "--port", "0", "-o", "json"}
	p := start(t, args...)
	p.next(t, "DevStarted", &started)
	must(t, 0, "produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", started.Broker, "--partitions", "2",
		"--input", "readings.jsonl", "-q")
	if r := tidemark(t, args...); r.code != exitTryAgain || !strings.Contains(r.err, "in use") {
		t.Errorf("a second broker over the same folder: exit %d %s", r.code, r.err)
	}
	if _, body := get(t, started.Page); !strings.Contains(body, "weather") || !strings.Contains(body, "DOWN 0 of 2") {
		t.Errorf("the page doesn't show the pipeline of the folder: %s", body)
	}
	if code, body := get(t, started.Page+"metrics"); code != http.StatusNotFound || !strings.Contains(body, "served by tidemark run") {
		t.Errorf("/metrics of dev: %d %s", code, body)
	}
	if code, _ := p.stop(t, syscall.SIGTERM); code != 143 {
		t.Errorf("exit %d, want 143", code)
	}
	p = start(t, args...)
	p.next(t, "DevStarted", &started)
	if r := must(t, 0, "consume", "readings", "-f", "pipeline.yaml", "--brokers", started.Broker); strings.Count(r.out, "\n") != 11 {
		t.Errorf("after a restart the topic holds\n%s", r.out)
	}
	p.stop(t, syscall.SIGINT)
	p = start(t, append(args, "--fresh")...)
	p.next(t, "DevStarted", &started)
	must(t, 1, "status", "-f", "pipeline.yaml", "--brokers", started.Broker)
	p.stop(t, syscall.SIGINT)
}

// A run with a page that can't be had goes on without, unless the page was asked for.
func TestAPortThatIsTaken(t *testing.T) {
	b := weather(t)
	must(t, 0, "produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", b.Addr(), "--partitions", "2",
		"--input", "readings.jsonl", "-q")
	taken, err := serve("127.0.0.1:0", http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := taken.stop(); err != nil {
			t.Error(err)
		}
	}()
	if r := tidemark(t, "run", "-f", "pipeline.yaml", "--until", "end", "--listen", taken.addr); r.code == 0 || !strings.Contains(r.err, "in use") {
		t.Errorf("exit %d %s", r.code, r.err)
	}
	a := &app{err: io.Discard, now: time.Now}
	o, err := (&app{file: "pipeline.yaml"}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	served, err := a.serveRun(runFlags{listen: taken.addr}, o, nil)
	if served != nil || o.close(err) != nil {
		t.Errorf("a port that nobody asked for: %v, %v", served, err)
	}
}

// ":7070" must never mean all interfaces.
func TestListensOnLoopbackUnlessTold(t *testing.T) {
	for flag, want := range map[string]string{
		":7070": "127.0.0.1:7070", "0.0.0.0:7070": "0.0.0.0:7070", "[::1]:0": "[::1]:0", defaultListen: "127.0.0.1:7070",
	} {
		if got, err := listenAddress(flag); err != nil || got != want {
			t.Errorf("%s: %s, %v", flag, got, err)
		}
	}
	if _, err := listenAddress("7070"); err == nil {
		t.Error("a port alone is taken for an address")
	}
}

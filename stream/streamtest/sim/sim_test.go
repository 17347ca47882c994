package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

const (
	chunk     = 100             // lives of one child process
	stuckFor  = 3 * time.Minute // without a line from a child
	reruns    = 20              // of a life that failed
	usual     = 500             // lives when nobody asks for another number
	keptSeeds = "testdata/seeds.txt"
)

// TestSim is simulated runs, all faults mixed: TIDEMARK_N of them from seed TIDEMARK_SEED on, 500 by default, and first those that
// failed once. TIDEMARK_SEED alone runs that one. It proves the laws together (invariant 1), on the broker in memory.
func TestSim(t *testing.T) {
	if os.Getenv("TIDEMARK_SIM_FROM") != "" {
		return // a child
	}
	began := time.Now()
	c := &campaign{t: t, bin: build(t), sum: map[string]int64{}, children: "TestLives", again: "TIDEMARK_SEED=%d go test -run TestSim ./stream/streamtest/sim\nadd it to " + keptSeeds}
	from, n := uint64(1), uint64(usual)
	seed, one := number(t, "TIDEMARK_SEED")
	many, given := number(t, "TIDEMARK_N")
	switch {
	case given:
		n = many
	case one:
		n = 1
	}
	if one {
		from = seed
	}
	if !one {
		c.bubbles()
		for _, s := range trial.KeptSeeds(t, keptSeeds) {
			c.run(s, 1)
		}
	}
	limit := longest(t)
	for at := from; at < from+n && (limit == 0 || time.Since(began) < limit); at += chunk {
		c.run(at, min(chunk, from+n-at))
		if (at-from)/chunk%4 == 3 {
			t.Logf("%d lives, %d failed, %s", c.lives, len(c.bad), time.Since(began).Round(time.Second))
		}
	}
	c.report()
	trial.Record(t, trial.Result{
		Campaign: "simulated runs, all faults mixed, virtual time", N: c.lives, Seed: from, Failures: len(c.bad), Counts: c.sum,
		Broker: "kfake, in memory", Seconds: time.Since(began).Seconds(),
	})
}

// longest is how long a campaign may take, TIDEMARK_FOR; it ends earlier then, and reports what it has done.
func longest(t *testing.T) time.Duration {
	text := os.Getenv("TIDEMARK_FOR")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("TIDEMARK_FOR: %v", err)
	}
	return d
}

func number(t *testing.T, name string) (n uint64, given bool) {
	text := os.Getenv(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n, true
}

// build makes the program of the children, unless this one will do: the Kafka client's mutexes must let virtual time pass.
func build(t *testing.T) string {
	if timeFriendly {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		return self
	}
	bin := filepath.Join(t.TempDir(), "sim.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "synctests", "-o", bin, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build the simulation: %v\n%s", err, out)
	}
	return bin
}

// campaign is many lives in processes of their own: one that panics or hangs takes only itself along.
type campaign struct {
	t     *testing.T
	bin   string
	lives int
	bad   map[uint64]string
	sum   map[string]int64
	// children is the test that they run, again how to see a failure again.
	children, again string
	env             []string
}

// bubbles runs what else is tested in virtual time.
func (c *campaign) bubbles() {
	cmd := exec.CommandContext(c.t.Context(), c.bin, "-test.run", "^TestBubble")
	cmd.Env = append(os.Environ(), "TIDEMARK_SIM_FROM=none")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Errorf("%v\n%s", err, out)
	}
}

// run lives n seeds. After one that ends its child it goes on with the next.
func (c *campaign) run(from, n uint64) {
	for end := from + n; from < end; {
		last, done, output := c.child(from, end-from)
		if done {
			return
		}
		c.failed(last, "the child ended within it: "+output)
		c.lives++
		from = last + 1
	}
}

// child runs one process. It returns the last seed that was begun, and whether all were done.
func (c *campaign) child(from, n uint64) (last uint64, done bool, output string) {
	cmd := exec.CommandContext(c.t.Context(), c.bin, "-test.run", "^"+c.children+"$", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), fmt.Sprintf("TIDEMARK_SIM_FROM=%d", from), fmt.Sprintf("TIDEMARK_SIM_N=%d", n),
		"GOMAXPROCS=1", "GOGC=800", "GOMEMLIMIT=700MiB", "GODEBUG=adaptivestackstart=1")
	cmd.Env = append(cmd.Env, c.env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	stuck := time.AfterFunc(stuckFor, func() {
		if err := cmd.Process.Kill(); err == nil {
			fmt.Fprintln(os.Stderr, "a life is stuck, and its process killed")
		}
	})
	last, output = c.listen(out, from, stuck)
	err = cmd.Wait()
	stuck.Stop()
	if err != nil {
		output += "\n" + err.Error()
	}
	return last, err == nil, output
}

// listen follows what a child says: "seed N" begins a life, "fault N TEXT" is what was wrong, "done N TALLY" ends it.
func (c *campaign) listen(out io.Reader, from uint64, stuck *time.Timer) (last uint64, rest string) {
	last = from
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		stuck.Reset(stuckFor)
		word, text, _ := strings.Cut(lines.Text(), " ")
		number, text, _ := strings.Cut(text, " ")
		seed, err := strconv.ParseUint(number, 10, 64)
		switch {
		case err == nil && word == "seed":
			last, rest = seed, ""
		case err == nil && word == "fault":
			c.failed(seed, text)
		case err == nil && word == "done":
			c.lives++
			c.add(text)
		case len(rest) < 8000:
			rest += lines.Text() + "\n"
		}
	}
	if err := lines.Err(); err != nil {
		rest += err.Error()
	}
	return last, rest
}

func (c *campaign) add(tally string) {
	var counts map[string]int64
	if err := json.Unmarshal([]byte(tally), &counts); err != nil {
		c.t.Fatalf("%v: %s", err, tally)
	}
	for name, n := range counts {
		c.sum[name] += n
	}
}

func (c *campaign) failed(seed uint64, what string) {
	if c.bad == nil {
		c.bad = map[uint64]string{}
	}
	if c.bad[seed] == "" {
		c.t.Logf("seed %d: %s", seed, what)
	}
	c.bad[seed] += what + "\n"
}

// report says how to see each failure again, and how often it comes.
func (c *campaign) report() {
	c.t.Logf("%d lives: %v", c.lives, c.sum)
	for _, seed := range slices.Sorted(maps.Keys(c.bad)) {
		again := &campaign{t: c.t, bin: c.bin, sum: map[string]int64{}, children: c.children, env: c.env}
		times := 0
		for range reruns {
			again.bad = nil
			again.run(seed, 1)
			times += len(again.bad)
		}
		c.t.Errorf("seed %d failed, and in %d of %d reruns:\n%s\n%s",
			seed, times, reruns, c.bad[seed], fmt.Sprintf(c.again, seed))
	}
}

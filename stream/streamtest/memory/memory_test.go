package memory_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

func TestMain(m *testing.M) { os.Exit(trial.Tests(m).Run()) }

// TestManyOpenKeys is what `make memory` runs: TIDEMARK_KEYS open keys within TIDEMARK_BUDGET (512MiB), on real Kafka. Without
// TIDEMARK_KEYS it has few, which shows that the test works.
func TestManyOpenKeys(t *testing.T) {
	keys, budget := trial.EnvInt(t, "TIDEMARK_KEYS", 20_000), os.Getenv("TIDEMARK_BUDGET")
	if budget == "" {
		budget = "512MiB"
	}
	mib, err := strconv.ParseInt(strings.TrimSuffix(budget, "MiB"), 10, 64)
	if err != nil {
		t.Fatalf("TIDEMARK_BUDGET %q: say 512MiB", budget)
	}
	broker := realkafka.Start(t)
	fill(t, kafka.Options{Brokers: []string{broker.Addr()}}, keys)
	path := lay(t, broker.Addr(), budget)
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), trial.Program(t), "run", "-f", path, "--until", "end", "--listen", "")
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(path), &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	peak := watch(t, cmd.Process.Pid, began, done)
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("%d keys, budget %s: peak %d MiB, %.1f CPU-s (%.1f per million events), %s", keys, budget, peak>>20, used.Seconds(), used.Seconds()*1e6/float64(keys), time.Since(began).Round(time.Second))
	if want := fmt.Sprintf("windows closed %s", grouped(keys)); !strings.Contains(out.String(), want) {
		t.Fatalf("the program doesn't say %q:\n%s", want, &out)
	}
	if peak > mib<<20 {
		t.Errorf("a peak of %d MiB, the budget is %s", peak>>20, budget)
	}
}

// watch samples the process until it ends, and returns its peak.
func watch(t *testing.T, pid int, began time.Time, done <-chan error) (peak int64) {
	t.Helper()
	look := time.NewTicker(250 * time.Millisecond)
	defer look.Stop()
	said := time.Duration(0)
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("the program failed: %v", err)
			}
			return peak
		case <-look.C:
			peak = max(peak, highWater(t, pid))
			if at := time.Since(began); at > said+30*time.Second {
				said = at
				t.Logf("%4.0f s: peak %d MiB", at.Seconds(), peak>>20)
			}
		}
	}
}

// highWater is VmHWM; 0 once the process has gone.
func highWater(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}

// grouped writes a number as the program does: 10,000,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// The same ratio in little: 200,000 keys in 64 MiB. What is counted stays within its share after every commit, but for what
// one poll brings; and the windows close in several transactions.
func TestSharesHold(t *testing.T) {
	const keys = 200_000
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o := kafka.Options{Brokers: c.ListenAddrs()}
	fill(t, o, keys)
	p, err := pipeline.Load(lay(t, c.ListenAddrs()[0], "64MiB"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.Open(t.Context(), p.Lake.Bucket, p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]int64{}
	sum, err := stream.Run(t.Context(), stream.Options{
		Plan: plan, Kafka: o, Bucket: bucket, ID: "a", UntilEnd: true, Now: time.Now,
		Observe: func(s stream.Status) {
			for _, p := range s.Memory {
				held[p.Name] = max(held[p.Name], p.Bytes)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Counters.Outputs[0].Closed != keys || !sum.Balanced() {
		t.Fatalf("%+v", sum.Counters)
	}
	m := stream.DivideMemory(64 << 20)
	t.Logf("%d commits; held at most, in KiB: write-back %d of %d, memtables %d of %d, landing %d of %d", sum.Commits,
		held["write_back"]>>10, m.WriteBack>>10, held["memtables"]>>10, m.MemTables>>10, held["landing"]>>10, m.Landing>>10)
	const slack = 3 << 20 // one poll of records, first chunks and filters of 8 tasks
	for part, limit := range map[string]int64{"write_back": m.WriteBack, "memtables": 2 * m.MemTables, "landing": m.Landing} {
		if held[part] == 0 || held[part] > limit+slack {
			t.Errorf("%s held %d bytes, its share is %d", part, held[part], limit)
		}
	}
	if sum.Commits < 6 {
		t.Errorf("%d commits: so many windows should close in several", sum.Commits)
	}
}

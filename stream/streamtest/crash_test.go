package streamtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

// TestCrashesLoseNothing kills the real program at random moments while events keep coming into a real broker, then kills the reconciler,
// and holds what is left against the oracle: nothing lost, nothing twice. TIDEMARK_CRASHES sets how often
// (default 20, a quarter of it for the reconciler), TIDEMARK_SEED the moments.
func TestCrashesLoseNothing(t *testing.T) {
	crashes, seed := envInt(t, "TIDEMARK_CRASHES", 20), uint64(envInt(t, "TIDEMARK_SEED", 1))
	t.Logf("crashes %d, seed %d", crashes, seed)
	moments := rand.New(rand.NewPCG(seed, 9))
	program := build(t)
	w := newWorld(t, []string{realkafka.Start(t).Addr()}, settings{commit: 20 * time.Millisecond, checkpoint: time.Second, roll: "300ms", partitions: 4})
	p := streamtest.Profile{Seed: seed, Events: 400 * (crashes + 1), Customers: 20, Late: 0.08, Duplicates: 0.05, Conflicts: 0.02, Invalid: 0.01}
	log := p.Log()
	w.produce(log[:10])

	var producing sync.WaitGroup
	producing.Go(func() { w.trickle(log[10:], time.Duration(crashes)*800*time.Millisecond) })
	for range crashes {
		w.killAfter(t, program, time.Duration(100+moments.IntN(1400))*time.Millisecond, "run", "-f", "orders.yaml", "--id", "a")
		if moments.IntN(5) == 0 {
			w.loseDisk()
		}
	}
	producing.Wait()
	w.must(t, program, 0, "run", "-f", "orders.yaml", "--id", "a", "--until", "end")
	w.checkLake("orders", int64(len(log)))

	for range max(crashes/4, 1) {
		w.killAfter(t, program, time.Duration(20+moments.IntN(500))*time.Millisecond, "reconcile", "run", "-f", "orders.yaml")
	}
	w.must(t, program, 0, "reconcile", "run", "-f", "orders.yaml")
	for win, history := range w.published() {
		revisions := map[int64]bool{}
		for _, r := range history {
			if revisions[r.revision] {
				t.Errorf("%+v: revision %d was published twice", win, r.revision)
			}
			revisions[r.revision] = true
		}
	}
	w.compare(w.oracle(log), w.published())
	w.must(t, program, 0, "audit", "-f", "orders.yaml")
}

// trickle produces the log evenly over a time, in 100 portions.
func (w *world) trickle(log []streamtest.Message, over time.Duration) {
	step := max(len(log)/100, 1)
	for i := 0; i < len(log); i += step {
		w.produce(log[i:min(i+step, len(log))])
		pause, cancel := context.WithTimeout(w.t.Context(), over/100)
		<-pause.Done()
		cancel()
	}
}

// killAfter starts the program and kills it, SIGKILL, after a while, unless it has ended by then.
func (w *world) killAfter(t *testing.T, program string, after time.Duration, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	cmd, out := w.command(ctx, program, args...)
	err := cmd.Run()
	if ctx.Err() != nil {
		return // killed
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || args[0] == "run") {
		t.Fatalf("%v ended by itself: %v\n%s", args, err, out)
	}
}

// must runs the program to its end and insists on its exit code.
func (w *world) must(t *testing.T, program string, code int, args ...string) {
	t.Helper()
	ctx, cancel := cancelable(t)
	defer cancel()
	cmd, out := w.command(ctx, program, args...)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%v: exit code %d, want %d\n%s", args, got, code, out)
	}
}

func (w *world) command(ctx context.Context, program string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	out := &bytes.Buffer{}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, out, out
	return cmd, out
}

// build compiles the program as a user gets it.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "tidemark")
	out, err := exec.Command("go", "build", "-o", bin, "github.com/tidemark-io/tidemark/cmd/tidemark").CombinedOutput()
	if err != nil {
		t.Fatal(fmt.Errorf("%w\n%s", err, out))
	}
	return bin
}

func envInt(t *testing.T, name string, def int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s=%q: %v", name, s, err)
	}
	return n
}

package streamtest_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

// TestCrashedShapesLoseNothing kills the real program, two processes of it in turn, while events come into a real broker,
// for pipelines whose tasks have several inputs: a repartition topic, and two sources of a join. A disk is lost now and then.
// TIDEMARK_CRASHES sets how often (default 20, of which each shape gets a quarter), TIDEMARK_SEED the moments.
func TestCrashedShapesLoseNothing(t *testing.T) {
	crashes, seed := max(envInt(t, "TIDEMARK_CRASHES", 20)/4, 3), uint64(envInt(t, "TIDEMARK_SEED", 1))
	t.Logf("crashes %d, seed %d", crashes, seed)
	program := build(t)
	for _, name := range []string{"rekeyed", "enriched"} {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, []string{realkafka.Start(t).Addr()}, name)
			s.generate(seed, 300*(crashes+1))
			s.produce(0, 10)
			var producing sync.WaitGroup
			producing.Go(func() { s.trickle(10, time.Duration(crashes)*700*time.Millisecond) })
			moments := rand.New(rand.NewPCG(seed, 10))
			for i := range crashes {
				id := []string{"a", "b"}[moments.IntN(2)]
				s.kill(program, time.Duration(200+moments.IntN(1300))*time.Millisecond, "run", "-f", "shape.yaml", "--id", id)
				if i%3 == 2 {
					must(t, os.RemoveAll(filepath.Join(s.dir, "state", "shape", id)))
				}
			}
			producing.Wait()
			sum := s.runBoth()
			if !sum.Balanced() || sum.Counters.Consumed != int64(len(s.sent)) {
				t.Errorf("%d records: %+v", len(s.sent), sum.Counters)
			}
			s.reconcile()
			for i, want := range s.truth() {
				got, seen := s.published(i)
				t.Logf("%s: %d windows; published %v", s.plan.Outputs[i].Name, len(want), seen)
				s.equal(s.plan.Outputs[i].Name, want, got)
			}
		})
	}
}

// trickle produces the rest evenly over a time.
func (s *shape) trickle(from int, over time.Duration) {
	step := max((len(s.sent)-from)/50, 1)
	for i := from; i < len(s.sent); i += step {
		s.produce(i, min(i+step, len(s.sent)))
		pause, cancel := context.WithTimeout(s.t.Context(), over/50)
		<-pause.Done()
		cancel()
	}
}

// kill starts the program and kills it, SIGKILL, after a while.
func (s *shape) kill(program string, after time.Duration, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), after)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &out, &out
	if err := cmd.Run(); ctx.Err() == nil {
		s.t.Fatal(fmt.Errorf("%v ended by itself: %w\n%s", args, err, out.String()))
	}
}

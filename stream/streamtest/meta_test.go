package streamtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

const metaCases = 20_000

// envNumber is a number from the environment.
func envNumber(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestMeta: random pipelines over random logs, each in several schedules, against the oracle.
func TestMeta(t *testing.T) {
	first, cases := uint64(0), envNumber(t, "TIDEMARK_META_CASES", metaCases)
	if seed := envNumber(t, "TIDEMARK_META_SEED", 0); seed > 0 {
		first, cases = seed, 1
	}
	t.Logf("%d cases from seed %d", cases, first)
	var next atomic.Uint64
	next.Store(first / casesPerPipeline)
	var wait sync.WaitGroup
	dir := t.TempDir()
	for w := range min(runtime.GOMAXPROCS(0), 8) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			mine := filepath.Join(dir, strconv.Itoa(w))
			if err := os.Mkdir(mine, 0o700); err != nil {
				t.Error(err)
				return
			}
			for !t.Failed() {
				block := next.Add(1) - 1
				from, to := max(first, block*casesPerPipeline), min(first+cases, (block+1)*casesPerPipeline)
				if from >= first+cases {
					return
				}
				runBlock(t, mine, block, from, to)
			}
		}()
	}
	wait.Wait()
}

// runBlock runs the cases of one pipeline.
func runBlock(t *testing.T, dir string, block, from, to uint64) {
	c, err := compile(newMetaPipeline(block), dir)
	if err != nil {
		t.Errorf("seed %d: the pipeline doesn't compile: %v\n%s", from, err, c.yaml(block))
		return
	}
	for seed := from; seed < to; seed++ {
		k := &metaCase{seed: seed, p: c.p, plan: c.plan, log: newMetaLog(c.p, seed)}
		if err := k.run(2); err != nil {
			small := k.shrink(2)
			t.Errorf("TIDEMARK_META_SEED=%d: %v\nshrunk: %v\n%s", seed, err, small.run(2), small)
			return
		}
	}
}

func (c *compiled) yaml(block uint64) string { return newMetaPipeline(block).yaml() }

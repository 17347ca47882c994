package streamtest

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidemark-io/tidemark/stream/flow"
)

// metaSchedules is under how many schedules each case is run.
const metaSchedules = 2

// envNumber is a number from the environment.
func envNumber(t *testing.T, name string, otherwise uint64) (n uint64, given bool) {
	t.Helper()
	text, given := os.LookupEnv(name)
	if !given {
		return otherwise, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n, true
}

// TestMeta is the metamorphic proof: random pipelines over random logs, each in several schedules, against the oracle. At
// equal cuts everything is equal (law L4), results are functions of sets (L1), a window closes once (L2), every record is
// accounted for (L3), and decisions hold at their cuts (L5). A failing case is printed as small as shrink gets it;
// TIDEMARK_META_SEED runs it alone.
func TestMeta(t *testing.T) {
	cases, _ := envNumber(t, "TIDEMARK_META_CASES", metaCases)
	first, single := envNumber(t, "TIDEMARK_META_SEED", 0)
	if single {
		cases = 1
	}
	t.Logf("%d cases from TIDEMARK_META_SEED=%d", cases, first)
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	run := &metaRun{t: t, first: first, end: first + cases, dir: t.TempDir()}
	run.next.Store(first / casesPerPipeline)
	var wait sync.WaitGroup
	for w := range min(runtime.GOMAXPROCS(0), 8) {
		wait.Go(func() { run.work(w) })
	}
	wait.Wait()
	run.total.check(t, cases)
}

// metaRun is many cases, shared out by pipeline.
type metaRun struct {
	t          *testing.T
	first, end uint64 // seeds
	dir        string
	next       atomic.Uint64 // pipeline
	total      metaTotal
}

func (r *metaRun) work(worker int) {
	dir := filepath.Join(r.dir, strconv.Itoa(worker))
	if err := os.Mkdir(dir, 0o700); err != nil {
		r.t.Error(err)
		return
	}
	for !r.t.Failed() {
		block := r.next.Add(1) - 1
		from, to := max(r.first, block*casesPerPipeline), min(r.end, (block+1)*casesPerPipeline)
		if from >= r.end {
			return
		}
		r.block(dir, block, from, to)
	}
}

// block runs the cases of one pipeline.
func (r *metaRun) block(dir string, block, from, to uint64) {
	p := newMetaPipeline(block)
	c, err := compile(p, dir)
	if err != nil {
		r.t.Errorf("TIDEMARK_META_SEED=%d: the pipeline doesn't compile: %v\n%s", from, err, p.yaml())
		return
	}
	for seed := from; seed < to; seed++ {
		k := &metaCase{seed: seed, p: p, plan: c.plan, log: newMetaLog(p, seed)}
		if err := k.run(metaSchedules); err != nil {
			small := k.shrink(metaSchedules)
			r.t.Errorf("TIDEMARK_META_SEED=%d: %v\nshrunk: %v\n%s", seed, err, small.run(metaSchedules), small)
			return
		}
		r.total.add(p, &k.sum)
	}
}

// metaTotal counts what the cases were about: a test that meets nothing proves nothing.
type metaTotal struct {
	mu     sync.Mutex
	shapes [4]int
	rekey  int
	sum    flow.Counters
	closed int64
	missed int64
}

func (m *metaTotal) add(p *metaPipeline, c *flow.Counters) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shapes[p.shape]++
	m.rekey += b2i(p.rekeyed())
	m.sum.Consumed += c.Consumed
	m.sum.Duplicate += c.Duplicate
	m.sum.Late += c.Late
	m.sum.Filtered += c.Filtered
	m.sum.Invalid += c.Invalid
	m.sum.Forwarded += c.Forwarded
	m.sum.Pairs += c.Pairs
	for _, o := range c.Outputs {
		m.closed += o.Closed
		m.missed += o.Missed
	}
}

func (m *metaTotal) check(t *testing.T, cases uint64) {
	t.Logf("single, co-group, interval join, enrichment: %v; %d rekeyed", m.shapes, m.rekey)
	t.Logf("%d records: %d duplicate, %d late, %d filtered, %d invalid, %d forwarded; %d pairs; %d results, %d windows missed",
		m.sum.Consumed, m.sum.Duplicate, m.sum.Late, m.sum.Filtered, m.sum.Invalid, m.sum.Forwarded, m.sum.Pairs, m.closed, m.missed)
	if cases < 1000 {
		return
	}
	for _, n := range []int64{int64(m.shapes[0]), int64(m.shapes[1]), int64(m.shapes[2]), int64(m.shapes[3]), int64(m.rekey),
		m.sum.Duplicate, m.sum.Late, m.sum.Filtered, m.sum.Invalid, m.sum.Forwarded, m.sum.Pairs, m.closed, m.missed} {
		if n == 0 && !t.Failed() {
			t.Error("the cases lack something that they are to be about")
		}
	}
}

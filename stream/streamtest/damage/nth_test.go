package damage_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// where and how an operation fails.
var nthModes = []string{"disk before", "disk after", "disk from then on", "bucket before", "bucket after", "bucket from then on"}

// nth is a scenario in which one operation fails.
type nth struct {
	*world
	mode   string
	disk   *statetest.Faulty
	bucket *blobtest.Faulty
	inner  blob.Bucket
	log    []string // what the steps returned
}

// TestEveryOperationFails (invariant 2). In the usual run a stride leaves out most of them; TIDEMARK_EVERY is that stride, and
// TIDEMARK_SHAPES says of which pipelines.
func TestEveryOperationFails(t *testing.T) {
	every, first := trial.EnvInt(t, "TIDEMARK_EVERY", 131), trial.EnvInt(t, "TIDEMARK_FROM", 1)
	names := []string{"tumbling"}
	if text := os.Getenv("TIDEMARK_SHAPES"); text != "" {
		names = strings.Split(text, ",")
	}
	began, y := time.Now(), tally{counts: map[string]int64{}}
	for _, shape := range names {
		plan := compiled(t, shape)
		log := generate(plan, 77, 60)
		disk, bucket := int64(0), int64(0)
		t.Run(shape+"/count", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { disk, bucket = nthCount(t, plan, log) })
		})
		t.Logf("%s: %d operations of the disk, %d of the bucket", shape, disk, bucket)
		if disk < 300 || bucket < 100 {
			t.Fatal("the scenario does next to nothing")
		}
		t.Run(shape, func(t *testing.T) {
			for i, mode := range nthModes {
				total := disk
				if strings.HasPrefix(mode, "bucket") {
					total = bucket
				}
				for n := int64(first) + int64(i*every/len(nthModes)); n <= total; n += int64(every) {
					y.run(t, fmt.Sprintf("%s/%d", strings.ReplaceAll(mode, " ", "-"), n), func(t *testing.T) string {
						nthFails(t, plan, log, mode, n)
						return shape + ", " + mode
					})
				}
			}
		})
	}
	cases := int64(0)
	for _, k := range slices.Sorted(maps.Keys(y.counts)) {
		t.Logf("%5d %s", y.counts[k], k)
		cases += y.counts[k]
	}
	trial.Record(t, trial.Result{Campaign: "every n-th file-system or bucket operation fails", N: int(cases), Seed: uint64(first), Failures: y.failures,
		Counts: y.counts, Broker: "kfake", Seconds: time.Since(began).Seconds()})
}

func newNth(t *testing.T, plan *pipeline.Plan, log []sent, mode string) *nth {
	inner := blob.NewMemory()
	s := &nth{mode: mode, disk: statetest.NewFaulty(statetest.NewMem()), bucket: blobtest.NewFaulty(inner), inner: inner}
	s.world = newWorld(t, plan, log, s.bucket, s.disk.FS())
	return s
}

func nthCount(t *testing.T, plan *pipeline.Plan, log []sent) (disk, bucket int64) {
	s := newNth(t, plan, log, "")
	s.scenario()
	disk, bucket = s.disk.Fail(nil), int64(s.bucket.Calls())
	if len(s.log) > 0 {
		t.Errorf("without a fault: %q", s.log)
	}
	return disk, bucket
}

// nthFails lets the n-th operation fail, and holds the outcome against a batch over all records.
func nthFails(t *testing.T, plan *pipeline.Plan, log []sent, mode string, n int64) {
	s := newNth(t, plan, log, mode)
	once := func(at int64, _, _ string) bool { return at == n }
	onwards := func(at int64, _, _ string) bool { return at >= n }
	switch mode {
	case "disk before":
		s.disk.Fail(once)
	case "disk after":
		s.disk.FailLate(once)
	case "disk from then on":
		s.disk.Fail(onwards)
	case "bucket before":
		s.bucket.FailAt(int(n), blobtest.Before)
	case "bucket after":
		s.bucket.FailAt(int(n), blobtest.After)
	case "bucket from then on":
		s.bucket.CrashAt(int(n), blobtest.After)
	}
	s.scenario()
	s.restart()
	said := s.said.take()
	for _, line := range said {
		if strings.Contains(line, "corrupt") {
			t.Errorf("a fault of the %s is taken for corruption: %s", mode, line)
		}
	}
	if err := s.finish(); err != nil {
		t.Errorf("%v\nbefore: %q\nsaid: %q\nthen: %q", err, s.log, said, s.said.take())
	}
}

// restart ends the fault, as a new process on a mended machine does.
func (s *nth) restart() {
	s.disk.Fail(nil)
	s.world.bucket = s.inner
}

// scenario is what is done while an operation fails: three runs of the stream, each with landing, checkpoints, and their
// garbage; a disk that is lost, so that checkpoints are restored; and a run of the reconciler.
func (s *nth) scenario() {
	s.step("first run", func() error { s.produce(len(s.world.log) / 3); return s.toHere() })
	s.step("second run", func() error { s.produce(len(s.world.log) * 2 / 3); return s.toHere() })
	s.step("lose the disk", func() error { return s.world.disk.RemoveAll("/state") })
	s.step("third run", func() error { s.produce(len(s.world.log)); _, err := s.toEnd(); return err })
	s.step("reconcile", func() error { _, err := s.apply(); return err })
}

// step does one of them. One that fails for the fault is done again after a restart.
func (s *nth) step(what string, do func() error) {
	s.t.Helper()
	err := do()
	if err == nil {
		return
	}
	s.log = append(s.log, what+": "+err.Error())
	waits := s.mode == "bucket from then on" && strings.Contains(err.Error(), hangs) // as long as the bucket is away
	if !waits && !errors.Is(err, statetest.ErrInjected) && !errors.Is(err, blobtest.ErrInjected) && !strings.Contains(err.Error(), statetest.ErrInjected.Error()) {
		s.t.Errorf("%s: not the injected error: %v", what, err)
	}
	s.restart()
	if err := do(); err != nil {
		s.t.Errorf("%s, after a restart: %v", what, err)
	}
}

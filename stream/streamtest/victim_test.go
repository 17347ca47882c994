package streamtest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// victim is the real program, built with crash points, over a pipeline on a broker of its own. It is killed again and again,
// without a clean stop between, while a reader watches what becomes visible.
type victim struct {
	*trial.Site
	t       *testing.T
	kind    string
	program string
	send    func(n int) // produces the next n records
	judge   func()      // of all that has been produced
	seen    *trial.Watcher
	due     bool // corrections are due
	backed  bool // every task has a checkpoint
	died    map[string]int64
}

// victims are the kinds that there are.
var victims = []string{"orders", "rekeyed", "enriched"}

// newVictim has room for so many kills.
func newVictim(t *testing.T, kind string, seed uint64, kills int) *victim {
	t.Helper()
	v := &victim{t: t, kind: kind, program: trial.Program(t, "crashpoints"), died: map[string]int64{}}
	brokers := []string{realkafka.Start(t).Addr()}
	records := 300*kills + 3000
	if kind == "orders" {
		w := trial.New(t, brokers, trial.Settings{Commit: 20 * time.Millisecond, Checkpoint: time.Second, Roll: "300ms", Partitions: 4})
		p := streamtest.Profile{Seed: seed, Events: records, Customers: 20, Late: 0.08, Duplicates: 0.05, Conflicts: 0.02, Invalid: 0.01}
		log, sent := p.Log(), 0
		v.Site = w.Site
		v.send = func(n int) { to := v.more(sent, n, len(log)); w.Produce(log[sent:to]); sent = to }
		v.judge = func() { w.Judge(log[:sent]) }
	} else {
		s := trial.NewShape(t, brokers, kind)
		s.Generate(seed, records)
		s.Rewrite("every: 1m", "every: 300ms", "close_when_idle: 0s", "close_when_idle: 1s")
		sent := 0
		v.Site = s.Site
		v.send = func(n int) { to := v.more(sent, n, len(s.Sent)); s.Produce(sent, to); sent = to }
		v.judge = func() { s.Judge(sent) }
	}
	v.Rewrite("commit: {every: 20ms}", "commit: {every: 50ms}")
	v.KeepProducer()
	v.seen = v.Watch()
	return v
}

func (v *victim) more(sent, n, all int) int {
	if sent+n > all {
		v.t.Errorf("%d records are too few for so many kills", all)
	}
	return min(sent+n, all)
}

// triesMax is how often the program may fail to come to a point: a rebalance or a slow machine may end a session first.
const triesMax = 3

// killMax is how long it may take to come to a point, on a machine that has other things to do, too.
const killMax = 2 * time.Minute

// kill lets the program die at a point of its way.
func (v *victim) kill(at string, r route) error {
	v.t.Helper()
	var errs []error
	for range triesMax {
		err := v.killOnce(at, r)
		if err == nil || errors.Is(err, trial.ErrAlive) && !strings.HasSuffix(at, ":1") && strings.Contains(at, ":") {
			return err
		}
		v.t.Logf("%s: once more: %v", at, err)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (v *victim) killOnce(at string, r route) error {
	v.t.Helper()
	correcting := r.args[0] == "reconcile"
	v.due = v.due && correcting // what streams now opens windows again
	if r.before != nil {
		r.before(v)
	}
	if !correcting {
		v.send(40)
	}
	alive, over := context.WithCancel(v.t.Context())
	var producing sync.WaitGroup
	if !r.quiet {
		producing.Go(func() { v.trickle(alive) })
	}
	died, err := v.Crash(v.program, trial.Crash{At: at, Stop: r.stop, StopHits: r.stopHits, Within: killMax}, v.args(r)...)
	over()
	producing.Wait()
	name, _, _ := strings.Cut(died, ":")
	if isAlive(err) || slices.Contains(spent, name) {
		v.due = false
	}
	if err == nil {
		v.died[name]++
	}
	return err
}

// spent are the points after which there may be nothing left to correct.
var spent = []string{"reconcile/published", "reconcile/relanded", "reconcile/read-back", "reconcile/certified", "commit/end-sent", "commit/end-answered"}

func (v *victim) args(r route) []string {
	args := slices.Concat(r.args, []string{"-f", v.File})
	if r.args[0] == "run" {
		args = append(args, "--id", "a", "--listen", "")
	}
	return args
}

// trickle produces a little, again and again, as long as the program is alive.
func (v *victim) trickle(alive context.Context) {
	for alive.Err() == nil {
		turn, cancel := context.WithTimeout(alive, 100*time.Millisecond)
		<-turn.Done()
		cancel()
		if alive.Err() == nil {
			v.send(8)
		}
	}
}

// toTheEnd runs to the end of what there is.
func (v *victim) toTheEnd() {
	v.t.Helper()
	v.Must(v.program, 0, v.args(route{args: toEnd})...)
	v.backed = true
}

// verdict holds everything against what is promised, and counts the kills.
func (v *victim) verdict() {
	v.t.Helper()
	v.toTheEnd()
	v.Must(v.program, 0, "reconcile", "run", "-f", v.File)
	v.Must(v.program, 0, "audit", "-f", v.File)
	v.judge()
	v.due = false
}

func (v *victim) kills() (n int) {
	for _, of := range v.died {
		n += int(of)
	}
	return n
}

// makeDue sees to it that something is to be corrected.
func (v *victim) makeDue() {
	v.t.Helper()
	if v.due {
		return
	}
	v.toTheEnd() // what is produced now is late for what this closes
	v.send(60)
	v.toTheEnd()
	v.due = true
}

// lag leaves the state on the disk behind what is committed.
func (v *victim) lag() {
	v.t.Helper()
	if err := v.kill("commit/done:3", route{args: run}); err != nil {
		v.t.Error(err)
	}
}

// lose loses the disk, once there is a checkpoint to restore.
func (v *victim) lose() {
	v.t.Helper()
	if !v.backed {
		v.toTheEnd()
	}
	v.LoseDisk("a")
}

// goBack leaves an older disk than the newest checkpoint, as of a process that comes back after its tasks lived elsewhere.
func (v *victim) goBack() {
	v.t.Helper()
	disk := filepath.Join(v.Dir, "state", v.Plan.Pipeline.Name, "a")
	v.toTheEnd()
	old := filepath.Join(v.t.TempDir(), "old")
	must(v.t, os.CopyFS(old, os.DirFS(disk)))
	v.send(40)
	v.toTheEnd()
	v.lose()
	must(v.t, os.CopyFS(disk, os.DirFS(old)))
}

// passRetention leaves a gap behind the state that the source's topic no longer holds, and the lake does.
func (v *victim) passRetention() {
	v.t.Helper()
	file, text := v.File, "slow.yaml"
	bytes, err := os.ReadFile(filepath.Join(v.Dir, file))
	must(v.t, err)
	v.Write(text, strings.Replace(string(bytes), "checkpoint_every: 1s", "checkpoint_every: 10m", 1))
	v.File = text
	err = v.kill("stop/landed", route{args: run, stop: "commit/done", stopHits: 5})
	if v.File = file; err != nil {
		v.t.Fatal(err) // what follows may not have been landed
	}
	admin, err := kafka.NewAdmin(v.Kafka)
	must(v.t, err)
	defer admin.Close()
	for i := range v.Plan.Sources {
		topic := v.Plan.Sources[i].Topic
		committed, err := admin.Committed(v.t.Context(), v.Plan.Pipeline.Group(), topic)
		must(v.t, err)
		for p, c := range committed {
			must(v.t, admin.DeleteRecords(v.t.Context(), topic, p, c.Next))
		}
	}
}

// drawn is a number from 2 to most, or 1.
func drawn(r *rand.Rand, most int) int {
	if most < 2 {
		return 1
	}
	return 2 + r.IntN(most-1)
}

// isAlive says that the program had nothing left to do before a later hit: no failure, and no kill.
func isAlive(err error) bool { return errors.Is(err, trial.ErrAlive) }

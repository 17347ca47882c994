package streamtest_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// change takes a change decision for the pipeline file as it is now.
func (w *world) change(dryRun bool) (*stream.ChangeReport, error) {
	ctx, cancel := cancelable(w.TB)
	defer cancel()
	o := w.Options("a")
	o.UntilEnd = false
	return stream.Change(ctx, stream.ChangeOptions{Options: o, Reason: "tested", DryRun: dryRun, WaitFor: 5 * time.Second})
}

func (w *world) mustChange() *stream.ChangeReport {
	w.TB.Helper()
	report, err := w.change(false)
	if err != nil {
		w.TB.Fatal(err)
	}
	if !report.Changed {
		w.TB.Fatalf("nothing changed: %+v", report)
	}
	return report
}

// Law L5: another definition of the results is refused until a decision puts it in force. State
// begins empty, what was open is the reconciler's, and stream plus corrections equal the new definition's truth over all events, those of before included.
func TestChangedDefinition(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	p := streamtest.Profile{Seed: 41, Events: 1200, Customers: 10, Late: 0.1, Duplicates: 0.05}
	log := p.Log()
	half := len(log) / 2
	w.Produce(log[:half])
	w.Stream()
	w.reconciled()

	w.edit("allowed_lateness: 2m", "allowed_lateness: 4m")
	w.stopsWith("fingerprint", "tidemark change")
	before := w.Published()
	dry, err := w.change(true)
	if err != nil || !dry.Changed || dry.From == dry.To {
		t.Fatalf("dry run: %+v, %v", dry, err)
	}
	w.stopsWith("fingerprint", "tidemark change")
	report := w.mustChange()
	if report.Time != dry.Time || report.From != dry.From {
		t.Errorf("decided %+v, the dry run said %+v", report, dry)
	}
	if again, err := w.change(false); err != nil || again.Changed {
		t.Errorf("taken twice: %+v, %v", again, err)
	}
	if !trial.SameHistory(before, w.Published()) {
		t.Error("the decision published something")
	}

	w.Produce(log[half:])
	w.Stream()
	w.CheckLake("orders", int64(len(log)))
	w.reconciled()
	w.Compare(w.Oracle(log), w.Published())

	w.edit("allowed_lateness: 4m", "allowed_lateness: 2m") // and back: state of the first life is of no use to the third
	w.mustChange()
	w.Stream()
	w.reconciled()
	w.Compare(w.Oracle(log), w.Published())
}

// reconciled applies what is due, and insists that nothing is left after it.
func (w *world) reconciled() {
	w.TB.Helper()
	if _, err := w.Reconciler().Apply(w.TB.Context(), reconcile.ApplyOptions{}); err != nil {
		w.TB.Fatal(err)
	}
	again, err := w.Reconciler().Apply(w.TB.Context(), reconcile.ApplyOptions{})
	if err != nil || again.Published != 0 {
		w.TB.Fatalf("a second reconcile published %+v, %v", again, err)
	}
	audit, err := w.Reconciler().Audit(w.TB.Context())
	if err != nil || !audit.OK() {
		w.TB.Fatalf("audit %+v, %v", audit, err)
	}
}

// A decision is for all tasks or for none: it is refused while another process owns some.
func TestChangeNeedsAllTasks(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(42).Log())
	if _, err := w.change(false); !errors.Is(err, stream.ErrNeverRan) {
		t.Fatalf("of a pipeline that never ran: %v", err)
	}
	ctx, stop := cancelable(t)
	ended := make(chan error, 1)
	running := make(chan struct{}, 1)
	o := w.Options("b")
	o.UntilEnd = false
	o.Observe = func(s stream.Status) {
		if len(s.Tasks) == int(w.Set.Partitions) {
			select {
			case running <- struct{}{}:
			default:
			}
		}
	}
	go func() { _, err := stream.Run(ctx, o); ended <- err }()
	<-running
	w.edit("allowed_lateness: 2m", "allowed_lateness: 4m")
	if _, err := w.change(false); !errors.Is(err, stream.ErrOwned) {
		t.Fatalf("while b runs: %v", err)
	}
	stop()
	<-ended
	admin, err := kafka.NewAdmin(w.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.LeaveGroup(t.Context(), "orders", w.Plan.Pipeline.TransactionalID("b")); err != nil { // or wait for its session to time out
		t.Fatal(err)
	}
	w.mustChange()
}

// Not even a process of the same id, which is the same member of the group, is thrown out by it.
func TestChangeLeavesItsNamesakeAlone(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(44).Log())
	ctx, stop := cancelable(t)
	ended := make(chan error, 1)
	seen := make(chan stream.Status)
	o := w.Options("a")
	o.UntilEnd = false
	o.Observe = func(s stream.Status) {
		select {
		case seen <- s:
		case <-ctx.Done():
		}
	}
	go func() { _, err := stream.Run(ctx, o); ended <- err }()
	for len((<-seen).Tasks) < int(w.Set.Partitions) {
	}
	was := w.Plan
	w.edit("allowed_lateness: 2m", "allowed_lateness: 4m")
	refused := make(chan error, 1)
	go func() { _, err := w.change(false); refused <- err }()
	var err error
	for waiting := true; waiting; {
		select {
		case err = <-refused:
			waiting = false
		case <-seen:
		}
	}
	if !errors.Is(err, stream.ErrOwned) || !strings.Contains(err.Error(), `as "a" on this machine`) {
		t.Errorf("while it runs: %v", err)
	}
	w.Plan = was
	for range 3 {
		if s := <-seen; s.Rebuilds != 0 || len(s.Tasks) < int(w.Set.Partitions) {
			t.Errorf("the process was disturbed: %d rebuilds, %d tasks: %s", s.Rebuilds, len(s.Tasks), s.LastError)
		}
	}
	stop()
	<-ended
}

// Partitions that a source has grown by are taken in: keys move, so all that was produced by then is the reconciler's.
func TestGrownTopic(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 2
	w := newWorld(t, fakeBroker(t), set)
	p := streamtest.Profile{Seed: 43, Events: 1200, Customers: 10, Late: 0.1, Duplicates: 0.05}
	log := p.Log()
	third := len(log) / 3
	w.Produce(log[:third])
	w.Stream()
	w.Produce(log[third : 2*third]) // not read before the topic grows

	admin, err := kafka.NewAdmin(w.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.GrowTopic(t.Context(), "orders", 5); err != nil {
		t.Fatal(err)
	}
	w.stopsWith("expected 5", "tidemark change")
	report := w.mustChange()
	if report.Partitions != [2]int32{2, 5} || len(report.Tasks) != 5 {
		t.Errorf("%+v", report)
	}
	w.Set.Partitions = 5
	w.Produce(log[2*third:])
	w.Stream()
	w.reconciled()
	w.Compare(w.Oracle(log), w.Published())
}

// A topic that has grown is taken in by a decision or not at all: neither one that is refused nor one that died on its way lets a
// task be born beside those that know of fewer partitions. It would open windows that they have closed (laws L2, L5).
func TestNoTaskIsBornBesideFewer(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 2
	w := newWorld(t, fakeBroker(t), set)
	log := streamtest.Profile{Seed: 45, Events: 1200, Customers: 10, Late: 0.1, Duplicates: 0.05}.Log()
	half := len(log) / 2
	w.Produce(log[:half])
	w.Stream()
	admin, err := kafka.NewAdmin(w.Kafka)
	must(t, err)
	defer admin.Close()
	must(t, admin.GrowTopic(t.Context(), "orders", 5))
	w.Set.Partitions = 5
	w.Produce(log[:half]) // every event again, most of them in partitions that are new
	before := w.Published()

	shared, err := state.NewShared(state.SharedOptions{})
	must(t, err)
	defer func() { must(t, shared.Close()) }()
	held, err := state.Hold(filepath.Join(w.Plan.Pipeline.Path(w.Plan.Pipeline.State.Dir), "orders", "a"), shared) // as a process that runs does
	must(t, err)
	if _, err := w.change(false); !errors.Is(err, stream.ErrOwned) {
		t.Fatalf("beside a process: %v", err)
	}
	must(t, held.Close())
	journal := w.Plan.Pipeline.JournalTopic()
	if info, err := admin.Topic(t.Context(), journal); err != nil || info.Partitions != 2 {
		t.Fatalf("a change that was refused: %+v, %v", info, err)
	}
	w.stopsWith("expected 5", "tidemark change")

	must(t, admin.GrowTopic(t.Context(), journal, 5)) // as a change does that is killed then
	for range 2 {
		w.stopsWith("to be born beside orders/0", "it had 2", "tidemark change")
	}
	if !trial.SameHistory(before, w.Published()) {
		t.Fatal("tasks of new partitions published something")
	}
	if report := w.mustChange(); report.Partitions != [2]int32{2, 5} {
		t.Errorf("%+v", report)
	}
	w.Produce(log[half:])
	w.Stream()
	w.reconciled()
	w.Compare(w.Oracle(append(slices.Clone(log[:half]), log...)), w.Published())
}

// Where a pipeline begins says what of its topic is before it. A partition that has come since has nothing before it: its first
// records are not passed over, however late the change decision comes (law L3).
func TestGrownTopicLosesNothing(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 2
	w := newWorld(t, fakeBroker(t), set)
	w.edit("format: avro-raw", "format: avro-raw\n  start: latest")
	log := streamtest.Profile{Seed: 44, Events: 900, Customers: 10}.Log()
	third := len(log) / 3
	w.Produce(log[:third]) // before the pipeline
	w.Stream()
	admin, err := kafka.NewAdmin(w.Kafka)
	must(t, err)
	defer admin.Close()
	must(t, admin.GrowTopic(t.Context(), "orders", 5))
	w.Set.Partitions = 5
	w.Produce(log[third : 2*third])
	w.mustChange()
	w.Produce(log[2*third:])
	if sum := w.Stream(); sum.Counters.Consumed != int64(len(log)-third) {
		t.Errorf("%d of %d records were read", sum.Counters.Consumed, len(log)-third)
	}
	w.CheckLake("orders", int64(len(log))) // of its topics it has what was before, too
	w.reconciled()
	w.Compare(w.Oracle(log), w.Published())
}

// What goes between tasks, what a join holds and an enrichment's table begin anew with their tasks, and the truth is the same.
func TestChangedShapes(t *testing.T) {
	for _, name := range trial.Shapes() {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, fakeBroker(t), name)
			s.Generate(51, 700)
			half := len(s.Sent) / 2
			s.Produce(0, half)
			s.RunBoth()
			s.Produce(half, len(s.Sent))

			text, err := os.ReadFile(filepath.Join(s.Dir, "shape.yaml"))
			must(t, err)
			changed := strings.Replace(string(text), "allowed_lateness: 1m", "allowed_lateness: 3m", 1)
			s.Write("shape.yaml", strings.Replace(changed, "allowed_lateness: 2m", "allowed_lateness: 4m", 1))
			s.Load()
			ctx, cancel := cancelable(t)
			defer cancel()
			report, err := stream.Change(ctx, stream.ChangeOptions{Reason: "tested", Options: stream.Options{
				Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, ID: "a", Now: time.Now,
			}})
			must(t, err)
			if !report.Changed || len(report.Tasks) != trial.ShapeWidth {
				t.Fatalf("%+v", report)
			}
			s.LoseDisk("a") // the new life is found in its checkpoints
			if name == "enriched" {
				s.loseCheckpoints() // or where it began
			}
			if sum := s.RunBoth(); !sum.Balanced() || sum.Counters.Consumed == 0 || sum.Counters.Aggregated+sum.Counters.Late == 0 {
				t.Errorf("accounting of the new life: %+v", sum.Counters)
			}
			for range 2 {
				_, err := s.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{})
				must(t, err)
			}
			for i, want := range s.Truth(len(s.Sent)) {
				got, _ := s.Folded(i)
				s.Equal(s.Plan.Outputs[i].Name, want, got)
			}
		})
	}
}

// loseCheckpoints empties the folder of the pipeline's checkpoints.
func (s *shape) loseCheckpoints() {
	s.TB.Helper()
	must(s.TB, os.RemoveAll(filepath.Join(s.Dir, "lake", "checkpoints")))
}

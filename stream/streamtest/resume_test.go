package streamtest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// loseUnread produces what retention then takes before the task of partition p has read it.
func (w *world) loseUnread(log []streamtest.Message, p int32) {
	w.TB.Helper()
	w.Produce(log)
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		ends, err := adm.ListEndOffsets(ctx, "orders")
		if err != nil {
			return err
		}
		var to kadm.Offsets
		to.AddOffset("orders", p, ends["orders"][p].Offset, -1)
		_, err = adm.DeleteRecords(ctx, to)
		return err
	})
}

// outside is what a stopped task has left in the bucket.
func (w *world) outside(task int32) *stream.Stop {
	w.TB.Helper()
	stop, err := stream.ReadStop(w.TB.Context(), w.Bucket, "orders", task)
	must(w.TB, err)
	return stop
}

func (w *world) resume(task int32) (*stream.Order, bool, error) {
	return stream.Resume(w.TB.Context(), stream.ResumeOptions{
		Plan: w.Plan, Kafka: w.Kafka, Bucket: w.Bucket, Now: time.Now, Task: task, Reason: "it was only a test",
	})
}

// A task whose unread records are gone stops; an order that accepts the loss, journalled with its reason, lets it begin anew at
// the first record that is still there, in a run that goes on (invariants 5 and 7, law L5). The order is refused where it
// answers no stop, and given twice it is taken once.
func TestResumeAcceptsALoss(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := streamtest.Profile{Seed: 71, Events: 900, Customers: 12}.Log()
	w.Produce(log[:300])
	w.Stream()
	if _, _, err := w.resume(1); !errors.Is(err, stream.ErrNotStopped) {
		t.Errorf("a task that runs can be resumed: %v", err)
	}
	w.loseUnread(log[300:600], 1)
	o := w.Options("a")
	o.UntilEnd = false
	s := w.begin(o)
	defer s.cancel()
	s.until("stopped", func(st *stream.Status) bool {
		return len(st.Tasks) == 4 && taskOf(st, 1).State == stream.Stopped && strings.Contains(taskOf(st, 1).Err, "tidemark resume -f FILE --task 1 --accept-loss") && total(st) > 300
	})
	late := expired(t, 20*time.Second)
	for w.outside(1) == nil {
		select {
		case <-late:
			t.Fatal("nothing is told in the bucket")
		case <-expired(t, 100*time.Millisecond):
		}
	}
	if told := w.outside(1); told.Error != taskOf(s.last.Load(), 1).Err || told.Process != "a" || w.outside(0) != nil {
		t.Errorf("from outside: %+v, %+v", told, w.outside(0))
	}
	if _, _, err := w.resume(0); !errors.Is(err, stream.ErrNotStopped) {
		t.Errorf("another task can be resumed: %v", err)
	}
	order, given, err := w.resume(1)
	if err != nil || !given || order.Inputs[0].First <= order.Inputs[0].Committed {
		t.Fatalf("order %+v, given %v: %v", order, given, err)
	}
	if _, again, err := w.resume(1); again || err != nil && !errors.Is(err, stream.ErrNotStopped) {
		t.Errorf("given again: %v, %v", again, err)
	}
	s.until("resumed", func(st *stream.Status) bool { return len(st.Tasks) == 4 && taskOf(st, 1).State != stream.Stopped })
	w.Produce(log[600:])
	s.until("going on", func(st *stream.Status) bool {
		return taskOf(st, 1).Counters.Consumed > 0 && taskOf(st, 1).Committed == taskOf(st, 1).High
	})
	if st := s.last.Load(); st.Rebuilds > 0 {
		t.Errorf("%d sessions broke: %s", st.Rebuilds, st.LastError)
	}
	s.cancel()
	<-s.ended
	if told := w.outside(1); told != nil {
		t.Errorf("still stopped from outside: %+v", told)
	}
	changes := w.decisions(journal.Change)
	if len(changes) != 1 || changes[0].Partition != 1 || changes[0].Reason != "it was only a test" || changes[0].Offset != order.Inputs[0].First {
		t.Errorf("journal: %+v", changes)
	}
	sum := w.Stream()
	if !sum.Balanced() {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	for win, history := range w.Published() {
		closed := 0
		for _, row := range history {
			if row.Status == "closed" || row.Status == "CLOSED" {
				closed++
			}
		}
		if closed > 1 {
			t.Errorf("%+v was closed %d times (law L2)", win, closed)
		}
	}
	w.saysWhatIsLost(lake.Hole{Partition: 1, First: order.Inputs[0].Committed, End: order.Inputs[0].First}, changes[0].Seq)
}

// saysWhatIsLost: a check of the lake, certificates and an audit name the records that an order gave up (laws L3, L4).
func (w *world) saysWhatIsLost(want lake.Hole, decision int64) {
	w.TB.Helper()
	ctx := w.TB.Context()
	sum, err := lake.Check(ctx, w.Bucket, "orders", func(f lake.Fault) {
		if !f.Kind.Harmless() {
			w.TB.Errorf("the lake is damaged: %s", f)
		}
	})
	must(w.TB, err)
	if len(sum.GivenUp) != 1 {
		w.TB.Fatalf("the lake says nothing of the loss: %+v", sum)
	}
	got := sum.GivenUp[0]
	if got.Partition != want.Partition || got.First != want.First || got.End != want.End || got.GivenUp.Decision != decision ||
		got.GivenUp.Pipeline != "orders" || got.GivenUp.Order != 1 || got.GivenUp.At == 0 || got.GivenUp.Reason != "it was only a test" {
		w.TB.Errorf("given up: %+v, want %+v by decision %d", got, want, decision)
	}
	named := reconcile.CertGivenUp{Topic: "orders", Partition: want.Partition, First: want.First, End: want.End, Pipeline: "orders", Reason: "it was only a test"}
	report, err := w.Reconciler().Apply(ctx, reconcile.ApplyOptions{All: true})
	must(w.TB, err)
	if report.Certified == 0 || len(report.GivenUp) != 1 || report.GivenUp[0].CertGivenUp != named || report.GivenUp[0].Units != report.Certified || len(report.Plan.GivenUp) != 1 {
		w.TB.Errorf("reconcile certified %d units: %+v, planned %+v", report.Certified, report.GivenUp, report.Plan.GivenUp)
	}
	audit, err := w.Reconciler().Audit(ctx)
	must(w.TB, err)
	if !audit.OK() || len(audit.GivenUp) != 1 || audit.GivenUp[0].CertGivenUp != named || audit.GivenUp[0].Units != audit.Units || !strings.Contains(audit.Statement, "given up") {
		w.TB.Errorf("audit of %d units: %q, %+v, %+v", audit.Units, audit.Statement, audit.GivenUp, audit.Difference)
	}
}

// Retention goes on between the order and the session that carries it out: the order holds, for all that is gone by then, and the
// journal and the lake have the offsets as they are (law L5).
func TestResumeThoughMoreIsGone(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 1
	w := newWorld(t, fakeBroker(t), set)
	log := streamtest.Profile{Seed: 74, Events: 600, Customers: 4}.Log()
	w.Produce(log[:300])
	w.Stream()
	w.loseUnread(log[300:400], 0)
	w.stopsWith("retention has passed records that were never read", "tidemark resume")
	order, given, err := w.resume(0)
	if !given || err != nil {
		t.Fatal(given, err)
	}
	w.loseUnread(log[400:450], 0)
	if _, again, err := w.resume(0); again || err != nil {
		t.Errorf("an order that waits is given again: %v, %v", again, err)
	}
	w.Produce(log[450:])
	if sum := w.Stream(); !sum.Balanced() || sum.Counters.Consumed != int64(len(log)-450) {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	changes := w.decisions(journal.Change)
	if len(changes) != 1 || changes[0].Offset <= order.Inputs[0].First {
		t.Fatalf("journal: %+v, the order named %d", changes, order.Inputs[0].First)
	}
	w.saysWhatIsLost(lake.Hole{First: order.Inputs[0].Committed, End: changes[0].Offset}, changes[0].Seq)
	w.loseUnread(streamtest.Profile{Seed: 75, Events: 50, Customers: 4}.Log(), 0)
	w.stopsWith("retention has passed records that were never read", "order 1, given ", "was found and does not apply to this stop")
}

// A process all of whose tasks have stopped ends, and status says so from outside; the next one finds the order. That neither
// disk, checkpoint nor lake reach the committed cut any more does not matter then.
func TestResumeAtTheNextStart(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 1
	w := newWorld(t, fakeBroker(t), set)
	log := streamtest.Profile{Seed: 72, Events: 600, Customers: 4}.Log()
	w.Produce(log[:300])
	w.Stream()
	w.loseUnread(log[300:400], 0)
	w.LoseDisk()
	must(t, os.RemoveAll(filepath.Join(w.Dir, "lake", "checkpoints")))
	w.stopsWith("retention has passed records that were never read", "tidemark resume")
	if told := w.outside(0); told == nil || !strings.Contains(told.Error, "tidemark resume") {
		t.Errorf("from outside: %+v", told)
	}
	if _, given, err := w.resume(0); !given || err != nil {
		t.Fatal(given, err)
	}
	w.Produce(log[400:])
	if sum := w.Stream(); !sum.Balanced() || sum.Counters.Consumed != int64(len(log)-400) {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	w.CheckLake("orders", int64(len(log)-100))
	if told := w.outside(0); told != nil {
		t.Errorf("still stopped from outside: %+v", told)
	}
}

func taskOf(st *stream.Status, id int32) stream.TaskStatus {
	for _, task := range st.Tasks {
		if task.Task == id {
			return task
		}
	}
	return stream.TaskStatus{}
}

// What an order does to the lake comes before the commit that journals it. Where that fails the order is carried out again, although
// the task could go on by then: no loss is accepted without a decision (law L5).
func TestResumeIsJournalledWhateverFails(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	must(t, err)
	t.Cleanup(c.Close)
	var refused, armed atomic.Bool
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !armed.Load() || refused.Swap(true) {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.ProducerFenced.Code
		return resp, nil, true
	})
	set := trial.Usual()
	set.Partitions = 2
	w := newWorld(t, c.ListenAddrs(), set)
	log := streamtest.Profile{Seed: 73, Events: 500, Customers: 8}.Log()
	w.Produce(log[:300])
	w.Stream()
	must(t, os.RemoveAll(filepath.Join(w.Dir, "lake", "raw", "orders", "_log", "1"))) // as if none of it had been landed
	w.loseUnread(nil, 1)
	w.stopsWith("before they were landed", "tidemark resume")
	if _, given, err := w.resume(1); !given || err != nil {
		t.Fatal(given, err)
	}
	armed.Store(true)
	w.Produce(log[300:])
	if sum := w.Stream(); !sum.Balanced() || !refused.Load() {
		t.Errorf("refused %v, accounting: %+v", refused.Load(), sum.Counters)
	}
	if changes := w.decisions(journal.Change); len(changes) != 1 || changes[0].Partition != 1 {
		t.Errorf("journal: %+v", changes)
	}
}

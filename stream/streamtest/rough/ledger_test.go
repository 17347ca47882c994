package rough_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// life is one life of a transactional producer: the next one has another epoch.
type life struct {
	producer int64
	epoch    int16
}

// entry is one committed position, as the group's coordinator wrote it down.
type entry struct {
	task    int32
	next    int64
	by      life
	at      time.Time
	offset  int64 // in the ledger
	decided int64 // of the marker that ended its transaction; 0: not read yet
}

// ledger reads what the coordinator has written down about a group: every position of every task that was ever committed,
// in order, with the producer that did it. It goes on through anything that happens to the broker.
type ledger struct {
	cl   *kgo.Client
	done chan struct{}

	mu      sync.Mutex
	entries []*entry
	open    map[life][]*entry // whose marker has not come
	faults  []error
}

// openLedger starts to read, until the test ends.
func openLedger(w *trial.World) *ledger {
	w.TB.Helper()
	l := &ledger{done: make(chan struct{}), open: map[life][]*entry{}}
	var err error
	l.cl, err = kgo.NewClient(
		kgo.SeedBrokers(w.Kafka.Brokers...), kgo.ConsumeTopics("__consumer_offsets"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.UnknownTopicRetries(-1),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second), kgo.FetchMaxWait(500*time.Millisecond),
	)
	if err != nil {
		w.TB.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	go func() {
		defer close(l.done)
		for ctx.Err() == nil {
			fetches := l.cl.PollFetches(ctx)
			l.mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) { l.note(w.Plan.Pipeline.Group(), w.Plan.Sources[0].Topic, r) })
			l.mu.Unlock()
		}
	}()
	w.TB.Cleanup(func() { end(); <-l.done; l.cl.Close() })
	return l
}

// note is called under the lock.
func (l *ledger) note(group, topic string, r *kgo.Record) {
	by := life{r.ProducerID, r.ProducerEpoch}
	if r.Attrs.IsControl() {
		for _, e := range l.open[by] {
			e.decided = r.Offset
		}
		delete(l.open, by)
		return
	}
	var key kmsg.OffsetCommitKey
	var value kmsg.OffsetCommitValue
	if len(r.Key) < 2 || r.Key[0] != 0 || r.Key[1] > 1 || len(r.Value) == 0 {
		return // a member of the group, or a tombstone
	}
	if err := key.ReadFrom(r.Key); err != nil {
		l.faults = append(l.faults, fmt.Errorf("key of entry %d: %w", r.Offset, err))
		return
	}
	if key.Group != group || key.Topic != topic {
		return
	}
	if err := value.ReadFrom(r.Value); err != nil {
		l.faults = append(l.faults, fmt.Errorf("entry %d: %w", r.Offset, err))
		return
	}
	e := &entry{task: key.Partition, next: value.Offset, by: by, at: r.Timestamp, offset: r.Offset}
	l.entries = append(l.entries, e)
	l.open[by] = append(l.open[by], e)
}

// snapshot is what has been read so far.
func (l *ledger) snapshot() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]entry, len(l.entries))
	for i, e := range l.entries {
		all[i] = *e
	}
	return all
}

// check returns what must not be.
func (l *ledger) check() []error {
	l.mu.Lock()
	faults := l.faults
	l.mu.Unlock()
	return append(faults, audit(l.snapshot())...)
}

// audit holds a ledger to the three laws of the package's comment.
func audit(entries []entry) (faults []error) {
	last := map[int32]entry{}
	lost := map[int32]map[life]bool{}
	for _, e := range entries {
		before, ok := last[e.task]
		last[e.task] = e
		if !ok {
			continue
		}
		if e.next < before.next {
			faults = append(faults, fmt.Errorf("task %d: position %d of %v after %d of %v", e.task, e.next, e.by, before.next, before.by))
		}
		if e.by == before.by {
			continue
		}
		if lost[e.task][e.by] {
			faults = append(faults, fmt.Errorf("task %d: %v commits %d after %v has taken the task over at %d: a zombie", e.task, e.by, e.next, before.by, before.next))
		}
		if lost[e.task] == nil {
			lost[e.task] = map[life]bool{}
		}
		lost[e.task][before.by] = true
		if before.decided > e.offset {
			faults = append(faults, fmt.Errorf("task %d: %v commits %d at %d, before the transaction of %v was decided at %d", e.task, e.by, e.next, e.offset, before.by, before.decided))
		}
	}
	return faults
}

// owners are who committed last, by task, and where.
func owners(entries []entry) map[int32]entry {
	last := map[int32]entry{}
	for _, e := range entries {
		last[e.task] = e
	}
	return last
}

// stall is the longest time between two commits of the same task, and which; and how often a task changed hands.
func stall(entries []entry) (longest time.Duration, at entry, moves int) {
	last := map[int32]entry{}
	for _, e := range entries {
		if before, ok := last[e.task]; ok {
			if gap := e.at.Sub(before.at); gap > longest {
				longest, at = gap, e
			}
			if before.by.producer != e.by.producer {
				moves++
			}
		}
		last[e.task] = e
	}
	return longest, at, moves
}

// stalls counts how often a task, and the pipeline as a whole, went without a commit for how long.
func stalls(entries []entry, counts map[string]int64) {
	last := map[int32]time.Time{}
	var any time.Time
	for _, e := range entries {
		if before, ok := last[e.task]; ok {
			note(counts, "a task", e.at.Sub(before))
		}
		if !any.IsZero() {
			note(counts, "the pipeline", e.at.Sub(any))
		}
		last[e.task], any = e.at, e.at
	}
}

func note(counts map[string]int64, who string, gap time.Duration) {
	for _, bound := range []time.Duration{5 * time.Second, 20 * time.Second, time.Minute} {
		if gap > bound {
			counts[who+" silent for more than "+bound.String()]++
		}
	}
	counts[who+" silent, max ms"] = max(counts[who+" silent, max ms"], gap.Milliseconds())
}

// life is the one that the broker knows a process in. With Kafka's newest transactions each of them is a life of its own.
func (w *world) life(id string) life {
	w.TB.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Brokers...))
	if err != nil {
		w.TB.Fatal(err)
	}
	defer cl.Close()
	name := w.Plan.Pipeline.TransactionalID(id)
	got, err := kadm.NewClient(cl).DescribeTransactions(w.TB.Context(), name)
	if err == nil {
		err = got[name].Err
	}
	if err != nil {
		w.TB.Fatalf("describe %s: %v", name, err)
	}
	return life{got[name].ProducerID, got[name].ProducerEpoch}
}

// The auditor finds what it is for.
func TestLedgerFindsZombies(t *testing.T) {
	a, a2, b := life{1, 0}, life{1, 1}, life{2, 0}
	for name, c := range map[string]struct {
		entries []entry
		faults  int
	}{
		"sound":      {[]entry{{next: 1, by: a, offset: 0, decided: 1}, {next: 2, by: b, offset: 2, decided: 3}, {next: 2, by: a2, offset: 4, decided: 5}}, 0},
		"zombie":     {[]entry{{next: 1, by: a}, {next: 2, by: b}, {next: 3, by: a}}, 1},
		"falls":      {[]entry{{next: 5, by: a}, {next: 4, by: a}}, 1},
		"undecided":  {[]entry{{next: 1, by: a, offset: 0, decided: 9}, {next: 2, by: b, offset: 2, decided: 3}}, 1},
		"other task": {[]entry{{next: 5, by: a}, {task: 1, next: 4, by: b}, {next: 6, by: a}}, 0},
	} {
		if got := audit(c.entries); len(got) != c.faults {
			t.Errorf("%s: %v", name, got)
		}
	}
}

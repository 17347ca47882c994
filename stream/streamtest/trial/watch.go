package trial

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// Watcher is a read-committed consumer of the results and of the journal that reads while everything goes wrong. What it was
// given once must be there in the end, and nothing else.
type Watcher struct {
	site   *Site
	topics []string
	cl     *kgo.Client
	end    context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	seen   map[placeOf]map[int64][sha256.Size]byte // by offset
	faults []string
}

// placeOf is a partition of a topic.
type placeOf struct {
	topic     string
	partition int32
}

// watchMax is how long the watcher may take to see the last of what is committed.
const watchMax = time.Minute

// Watch starts a watcher, which may begin before the topics are there. Judge asks it, too; Stop ends it.
func (s *Site) Watch() *Watcher {
	s.TB.Helper()
	w := &Watcher{site: s, done: make(chan struct{}), seen: map[placeOf]map[int64][sha256.Size]byte{}, topics: []string{s.Plan.Pipeline.JournalTopic()}}
	for i := range s.Plan.Outputs {
		w.topics = append(w.topics, s.Plan.Outputs[i].Name)
	}
	var err error
	w.cl, err = kgo.NewClient(
		kgo.SeedBrokers(s.Kafka.Brokers...), kgo.ConsumeTopics(w.topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second),
	)
	s.must(err)
	var ctx context.Context
	ctx, w.end = context.WithCancel(context.Background())
	go w.read(ctx)
	s.watcher = w
	s.TB.Cleanup(w.close)
	return w
}

// read notes what comes. Errors of the broker pass: it may be down, or a topic not there.
func (w *Watcher) read(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		fetches := w.cl.PollFetches(ctx)
		w.mu.Lock()
		fetches.EachRecord(w.note)
		w.mu.Unlock()
	}
}

// note is called under the lock.
func (w *Watcher) note(r *kgo.Record) {
	at := placeOf{r.Topic, r.Partition}
	if w.seen[at] == nil {
		w.seen[at] = map[int64][sha256.Size]byte{}
	}
	is := fingerprint(r)
	if was, again := w.seen[at][r.Offset]; again && was != is {
		w.faults = append(w.faults, fmt.Sprintf("%s/%d@%d was read twice, with different values", r.Topic, r.Partition, r.Offset))
	}
	w.seen[at][r.Offset] = is
}

// fingerprint is a hash over a record's key, value and time.
func fingerprint(r *kgo.Record) [sha256.Size]byte {
	b := binary.AppendVarint(nil, int64(len(r.Key)))
	b = append(b, r.Key...)
	b = binary.AppendVarint(append(b, r.Value...), r.Timestamp.UnixMilli())
	return sha256.Sum256(b)
}

// Check holds what the watcher saw against what the topics hold now, while it goes on. Nothing else may write meanwhile.
func (w *Watcher) Check() {
	tb := w.site.TB
	tb.Helper()
	now := map[placeOf]map[int64][sha256.Size]byte{}
	total := 0
	for _, topic := range w.topics {
		w.site.Each(topic, func(r *kafka.Record) {
			at := placeOf{r.Topic, r.Partition}
			if now[at] == nil {
				now[at] = map[int64][sha256.Size]byte{}
			}
			now[at][r.Offset] = fingerprint(r)
			total++
		})
	}
	if total == 0 {
		tb.Error("the watcher had nothing to see")
	}
	if err := w.catchUp(now); err != nil {
		tb.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fault := range w.faults {
		tb.Error(fault)
	}
	for at, seen := range w.seen {
		for offset, is := range seen {
			if have, there := now[at][offset]; !there {
				tb.Errorf("%s/%d@%d was read as committed, and is not there in the end", at.topic, at.partition, offset)
			} else if have != is {
				tb.Errorf("%s/%d@%d was read as committed, and is another record in the end", at.topic, at.partition, offset)
			}
		}
	}
}

// catchUp waits until the watcher has seen all that is there.
func (w *Watcher) catchUp(now map[placeOf]map[int64][sha256.Size]byte) error {
	ctx, cancel := context.WithTimeout(w.site.TB.Context(), watchMax)
	defer cancel()
	for {
		missing := w.missing(now)
		if missing == nil {
			return nil
		}
		turn, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		<-turn.Done()
		cancel()
		if ctx.Err() != nil {
			return missing
		}
	}
}

var errUnseen = errors.New("is committed, and the watcher was not given it")

func (w *Watcher) missing(now map[placeOf]map[int64][sha256.Size]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, all := range now {
		for offset := range all {
			if _, seen := w.seen[at][offset]; !seen {
				return fmt.Errorf("%s/%d@%d %w", at.topic, at.partition, offset, errUnseen)
			}
		}
	}
	return nil
}

// Stop checks and ends the watcher. It returns how many records it saw.
func (w *Watcher) Stop() int {
	w.site.TB.Helper()
	w.Check()
	w.close()
	n := 0
	for _, seen := range w.seen {
		n += len(seen)
	}
	return n
}

func (w *Watcher) close() {
	if w.site.watcher == w {
		w.site.watcher = nil
	}
	w.end()
	<-w.done
	w.cl.Close()
}

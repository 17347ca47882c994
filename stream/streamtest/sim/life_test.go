package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// drawn is what a life's processes run with.
type drawn struct {
	commit, checkpoint, roll time.Duration
	idleAfter, closeWhenIdle time.Duration
	commitTimeout, retry     time.Duration
	session, transaction     time.Duration
	rollBytes, landing       int64
	keep, poll               int
	diskFaults               float64
}

func draw(rng *rand.Rand) *drawn {
	return &drawn{
		commit: pick(rng, 50*time.Millisecond, 200*time.Millisecond, time.Second), checkpoint: pick(rng, 500*time.Millisecond, 3*time.Second, 20*time.Second),
		roll: pick(rng, 5*time.Second, 10*time.Second, time.Minute), rollBytes: pick[int64](rng, 1<<10, 8<<10, 1<<20),
		idleAfter: pick(rng, 24*time.Hour, 24*time.Hour, 3*time.Second), closeWhenIdle: pick[time.Duration](rng, 0, 0, 5*time.Second),
		commitTimeout: pick(rng, time.Second, 5*time.Second, 30*time.Second), retry: pick(rng, 20*time.Second, 5*time.Minute),
		session: pick(rng, 6*time.Second, 6*time.Second, 45*time.Second), transaction: pick(rng, 2*time.Second, 10*time.Second),
		landing: pick[int64](rng, 0, 0, 1<<14), keep: pick(rng, 1, 2, 3), poll: pick(rng, 1, 7, 50, 1000),
		diskFaults: pick(rng, 0, 0, 0, 0, 0.002),
	}
}

// life is one seed.
type life struct {
	seed    uint64
	rng     *rand.Rand
	drawn   *drawn
	subject *subject

	net     *network
	cluster *kfake.Cluster
	weather *weather
	mood    *mood
	climate *climate
	calm    atomic.Bool
	bucket  *blob.Memory

	machines []*machine
	ends     []int // where each portion of the log ends
	sent     int   // messages sent
	producer *kafka.Producer
	tally    map[string]int
	faults   []string
	seen     map[string]string // what a reader saw during the faults, by place
	sum      *stream.Summary   // of the last run
	said     record
	strike   *strike           // of a cell of the matrix
	closed   map[string]string // what the stream closed, by window
	mu       sync.Mutex        // of faults
}

func (l *life) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.faults) < 10 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// log is where a process's log goes. It is kept in memory, and shown if the life ends badly.
func (l *life) log(id string) *slog.Logger {
	return slog.New(slog.NewTextHandler(&l.said, &slog.HandlerOptions{Level: slog.LevelInfo})).With("at", id)
}

// record is text that several write.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (l *life) direct() kafka.Options {
	return kafka.Options{Brokers: l.cluster.ListenAddrs(), Dial: l.net.dial}
}

// live runs the life and returns what was wrong with it.
func (l *life) live() error {
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // a bubble begins in the year 2000
	if err := l.begin(); err != nil {
		return err
	}
	defer l.cluster.Close()
	if err := l.openProducer(); err != nil {
		return err
	}
	defer l.producer.Close()
	for step := range len(l.ends) + l.rng.IntN(3) {
		if step < len(l.ends)-1 {
			if err := l.trickle(l.ends[step]); err != nil {
				return err
			}
		}
		for _, m := range l.machines {
			l.stir(m)
		}
		if l.large() && l.rng.IntN(3) == 0 {
			l.cluster.ShufflePartitionLeaders()
			l.cluster.RehashCoordinators()
		}
		time.Sleep(l.while())
		if l.large() || l.rng.IntN(8) == 0 {
			if err := l.glimpse(); err != nil {
				return err
			}
		}
	}
	if err := l.peace(); err != nil {
		return err
	}
	return l.judge()
}

func (l *life) openProducer() (err error) {
	l.producer, err = kafka.NewProducer(l.direct())
	return err
}

func (l *life) large() bool { return l.seed%50 == 0 }

// begin draws everything that is drawn once.
func (l *life) begin() error {
	rng := l.rng
	l.tally, l.seen, l.bucket, l.net = map[string]int{}, map[string]string{}, blob.NewMemory(), newNetwork()
	l.weather = &weather{
		rng: l.stream(1), rate: pick(rng, 0, 0.003, 0.02), favoured: -1, refuse: pick(rng, 0, 0, 0.05),
		late: pick(rng, 5*time.Millisecond, time.Second, 40*time.Second), lag: pick(rng, 0, 0, 5*time.Millisecond), met: map[fate]int{}, byKey: map[int16]int{},
	}
	if rng.IntN(4) > 0 {
		l.weather.favoured, l.weather.often = int16(key(rng)), pick(rng, 0.05, 0.2, 0.5)
	}
	l.climate = &climate{
		rng: l.stream(2), rate: pick(rng, 0, 0, 0.01, 0.1), slow: pick(rng, 0, 0, 0.05), pause: pick(rng, 10*time.Millisecond, 2*time.Second, 50*time.Second),
	}
	l.mood = &mood{rng: l.stream(3), rate: pick(rng, 0.01, 0.05, 0.3)}
	var moody []kmsg.Key
	for range pick(rng, 0, 0, 1, 2, 3) {
		moody = append(moody, key(rng))
	}
	n := len(l.subject.messages)
	for range 2 + rng.IntN(9) {
		l.ends = append(l.ends, rng.IntN(n+1))
	}
	slices.Sort(l.ends)
	l.ends = append(l.ends, n)
	topics := map[string]int32{}
	for i := range l.subject.plan.Sources {
		topics[l.subject.plan.Sources[i].Topic] = l.subject.width
	}
	for i := range pick(rng, 1, 1, 2, 2, 3) {
		if l.large() && i == 0 {
			l.tally["large lives"]++
		}
		l.machines = append(l.machines, &machine{id: string(rune('a' + i)), life: l, disk: statetest.NewPowerLoss()})
	}
	brokers := 1
	if l.large() {
		brokers = 3
	}
	var err error
	l.cluster, err = newBroker(l.net, brokers, topics, l.mood, moody)
	return err
}

// keys are the requests that processes send.
var keys = []kmsg.Key{
	kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata, kmsg.OffsetFetch, kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat,
	kmsg.InitProducerID, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.CreateTopics,
}

// commitKeys are those that a commit is made of: they fail two times of three when some do.
var commitKeys = []kmsg.Key{kmsg.Produce, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.EndTxn}

func key(rng *rand.Rand) kmsg.Key {
	if rng.IntN(3) > 0 {
		return pick(rng, commitKeys...)
	}
	return pick(rng, keys...)
}

// stream is a source of chance of its own: who draws from it doesn't disturb the others.
func (l *life) stream(n uint64) *rand.Rand { return rand.New(rand.NewPCG(l.seed, n<<32|0x51d)) }

// while is how long nothing else happens: mostly short, now and then past every timeout.
func (l *life) while() time.Duration {
	most := pick(l.rng, 20*time.Millisecond, 500*time.Millisecond, 3*time.Second, 3*time.Second, 10*time.Second, 10*time.Second, 70*time.Second)
	return time.Duration(l.rng.Int64N(int64(most)))
}

// trickle sends the log up to a message, a few at a time.
func (l *life) trickle(to int) error {
	for bits := 1 + l.rng.IntN(5); bits > 1; bits-- {
		if err := l.produce(l.sent + (to-l.sent)/bits); err != nil {
			return err
		}
		time.Sleep(time.Duration(l.rng.Int64N(int64(2 * l.drawn.commit))))
	}
	return l.produce(to)
}

// produce sends the log up to a message.
func (l *life) produce(to int) error {
	l.mood.hold(true)
	defer l.mood.hold(false)
	ctx := context.Background()
	for ; l.sent < to; l.sent++ {
		m := &l.subject.messages[l.sent]
		r := &kafka.Record{Topic: l.subject.plan.Sources[m.source].Topic, Partition: m.partition, Key: m.key, Value: m.val}
		if err := l.producer.Produce(ctx, r); err != nil {
			return err
		}
	}
	return l.producer.Flush(ctx)
}

// stir decides what happens to a machine now.
func (l *life) stir(m *machine) {
	l.reap(m)
	what := l.rng.IntN(100)
	p := m.now
	switch {
	case p == nil && what < 15:
		m.replace(statetest.NewPowerLoss())
		l.tally["disks lost"]++
		fallthrough
	case p == nil && what < 80:
		m.start(l.doom(), false)
	case p == nil:
	case what < 20:
		p.die(pick(l.rng, 0, 50, 100))
		l.tally["kills"]++
		l.bury(m)
	case what < 35:
		p.cancel()
		l.tally["stops"]++
		l.bury(m)
	case what < 50:
		p.freeze(pick(l.rng, 2*time.Second, 12*time.Second, time.Minute)) // its session may be over when it goes on
		l.tally["freezes"]++
	}
}

func (l *life) doom() doom {
	d := doom{kind: doomKind(l.rng.IntN(int(doomKinds))), key: -1, n: 1 + int64(l.rng.ExpFloat64()*pick(l.rng, 60.0, 200, 600)), kept: pick(l.rng, 0, 50, 100)}
	if (d.kind == beforeRequest || d.kind == afterRequest) && l.rng.IntN(3) > 0 {
		d.key, d.n = int16(key(l.rng)), 1+int64(l.rng.IntN(8))
	}
	if d.kind == atDisk {
		d.n *= 2
	}
	return d
}

// reap notices a process that has ended by itself.
func (l *life) reap(m *machine) {
	if m.now != nil && m.now.ended() {
		l.bury(m)
	}
}

// bury waits for the end of a process and looks at how it ended.
func (l *life) bury(m *machine) {
	p := m.now
	m.now = nil
	if !p.over() {
		l.fail("process %s does not end although its context has", m.id)
		return
	}
	if p.dead.Load() {
		l.tally["deaths"]++
	}
	var stopped *stream.StoppedError
	if errors.As(p.err, &stopped) {
		l.fail("a task of process %s stopped for good: %v", m.id, p.err)
	}
	l.log(m.id).Info("ended", "dead", p.dead.Load(), "err", p.err)
}

// calmDown ends all faults.
func (l *life) calmDown() {
	l.weather.ends()
	l.climate.ends()
	l.mood.ends()
	l.calm.Store(true)
}

// peace ends the faults and whoever runs, and runs the pipeline to its end.
func (l *life) peace() error {
	l.calmDown()
	if err := l.produce(len(l.subject.messages)); err != nil {
		return err
	}
	last := pick(l.rng, l.machines...)
	for _, m := range l.machines {
		if m.now == nil {
			continue
		}
		if l.rng.IntN(2) == 0 {
			m.now.die(pick(l.rng, 0, 50, 100))
		} else {
			m.now.cancel()
		}
		l.bury(m)
	}
	over := make(chan struct{})
	defer close(over)
	go l.immortal(last, over)
	p := last.start(doom{}, true)
	if p.over() && errors.Is(p.err, kafka.ErrInstanceFenced) {
		// A request to join by its predecessor, dead by now, was still on its way, and overtook it. Nobody can tell that from a
		// second process of the same id, so that the process ends; whoever looks after it starts it again.
		l.tally["ended by another of its name"]++
		last.now = nil
		p = last.start(doom{}, true)
	}
	if !p.over() {
		l.fail("the last run does not come to its end")
		l.stuck(last, p)
		return nil
	}
	last.now = nil
	if p.err != nil {
		l.fail("the last run: %v", p.err)
		return nil
	}
	l.sum = p.sum
	if c := &p.sum.Counters; !p.sum.Balanced() || c.Consumed != int64(len(l.subject.messages)) {
		l.fail("accounting %+v of %d records", c, len(l.subject.messages))
	}
	return nil
}

// stuck says where a run stands that doesn't end, and ends it.
func (l *life) stuck(m *machine, p *process) {
	stacks := make([]byte, 1<<20)
	l.log(m.id).Info("where it stands", "group", fmt.Sprintf("%+v", l.cluster.GroupInfo(l.subject.plan.Pipeline.Group())),
		"status", p.status(), "stacks", string(stacks[:runtime.Stack(stacks, true)]))
	p.die(100)
	<-p.done
	l.log(m.id).Info("the last run ended", "err", p.err)
}

// immortal removes what the broker in memory keeps for ever: a static member that joined and died before it synced. Kafka counts its
// session from the join; kfake (September 2026) only from the sync.
func (l *life) immortal(but *machine, over <-chan struct{}) {
	wait := time.NewTimer(2 * time.Minute) // past every session timeout
	defer wait.Stop()
	select {
	case <-over:
		return
	case <-wait.C:
	}
	l.log("").Info("dead members are removed by hand")
	admin, err := kafka.NewAdmin(l.direct())
	if err != nil {
		l.fail("admin: %v", err)
		return
	}
	defer admin.Close()
	p := l.subject.plan.Pipeline
	for _, m := range l.machines {
		if m == but {
			continue
		}
		if err := admin.LeaveGroup(context.Background(), p.Group(), p.TransactionalID(m.id)); err != nil {
			l.fail("remove %s: %v", m.id, err)
		}
	}
}

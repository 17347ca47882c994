package sim

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// machine is a place where a process of one id runs, again and again. Its disk outlives the processes.
type machine struct {
	id   string
	life *life
	now  *process // nil: nothing runs
	wrap func(blob.Bucket) blob.Bucket

	mu   sync.Mutex
	disk *statetest.PowerLoss
}

func (m *machine) drive() *statetest.PowerLoss {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.disk
}

func (m *machine) replace(disk *statetest.PowerLoss) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disk = disk
}

// doom is the moment at which a process dies by itself: in the middle of what it does.
type doom struct {
	kind doomKind
	key  int16 // of requests: which count; -1 is all
	n    int64 // how many more it survives
	kept int   // percent of what was not synced that survives
}

type doomKind uint8

const (
	atNoMoment doomKind = iota
	beforeRequest
	afterRequest
	beforeCall
	afterCall
	atDisk
	doomKinds
)

// process is one run of stream.Run that can die.
type process struct {
	m      *machine
	link   *link
	bucket *bucket
	fs     *statetest.Faulty
	doom   doom
	left   atomic.Int64
	rng    *rand.Rand // of its death alone

	cancel context.CancelFunc
	once   sync.Once
	dead   atomic.Bool
	done   chan struct{}
	seen   atomic.Pointer[string] // the last status
	sum    *stream.Summary
	err    error
}

// start runs the machine's next process.
func (m *machine) start(d doom, untilEnd bool) *process {
	l := m.life
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{m: m, doom: d, cancel: cancel, done: make(chan struct{}), rng: rand.New(rand.NewPCG(l.seed, l.rng.Uint64()))}
	p.left.Store(d.n)
	p.link = newLink(l.net, l.weather)
	var inner blob.Bucket = l.bucket
	if m.wrap != nil {
		inner = m.wrap(inner)
	}
	p.bucket = &bucket{inner: inner, climate: l.climate}
	p.fs = statetest.NewFaulty(m.drive().FS())
	p.arm()
	o := stream.Options{
		Plan: l.subject.plan, Kafka: kafka.Options{Brokers: l.cluster.ListenAddrs(), Dial: p.link.dial, Log: slog.New(slog.DiscardHandler)}, Log: l.log(m.id),
		Bucket: p.bucket, ID: m.id, StateFS: p.fs.FS(), UntilEnd: untilEnd, Now: time.Now,
		PollRecordsMax: l.drawn.poll, LandingBytesMax: l.drawn.landing, CommitTimeout: l.drawn.commitTimeout, RetryFor: l.drawn.retry,
	}
	if untilEnd { // it may wait for the sessions of the dead: it need not look all the time
		plan, calm := *o.Plan, *o.Plan.Pipeline
		calm.Commit.Every, calm.Lake.Roll.Every = max(calm.Commit.Every, time.Second), max(calm.Lake.Roll.Every, 10*time.Second)
		plan.Pipeline = &calm
		o.Plan = &plan
		o.Observe = func(s stream.Status) {
			text := fmt.Sprintf("%+v", s)
			p.seen.Store(&text)
		}
		o.RetryFor = 10 * time.Minute
	}
	m.now = p
	l.tally["starts"]++
	go func() {
		defer close(p.done)
		defer cancel()
		p.sum, p.err = stream.Run(ctx, o)
	}()
	return p
}

// arm sets the process up to die, and its disk to fail.
func (p *process) arm() {
	mine := func(key int16) bool {
		return (p.doom.key < 0 || p.doom.key == key) && p.left.Add(-1) == 0
	}
	request := func(key int16) {
		if mine(key) {
			p.die(p.doom.kept)
		}
	}
	call := func() { request(-1) }
	switch p.doom.kind {
	case beforeRequest:
		p.link.before = request
	case afterRequest:
		p.link.after = request
	case beforeCall:
		p.bucket.before = call
	case afterCall:
		p.bucket.after = call
	}
	rate, rng := p.m.life.drawn.diskFaults, rand.New(rand.NewPCG(p.m.life.seed, 77))
	if p.doom.kind != atDisk && rate == 0 {
		return
	}
	var mu sync.Mutex
	p.fs.Fail(func(_ int64, op, _ string) bool {
		if p.doom.kind == atDisk && op == "write" {
			if mine(p.doom.key) {
				p.die(p.doom.kept)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		return !p.m.life.calm.Load() && rate > 0 && op == "write" && rng.Float64() < rate
	})
}

// die is kill -9 and a power cut at once: it may be called anywhere. Nothing that the process still does leaves it.
func (p *process) die(kept int) {
	p.once.Do(func() {
		p.dead.Store(true)
		p.link.cut()
		p.bucket.cut()
		p.m.replace(p.m.drive().Cut(p.rng, kept))
		p.cancel()
	})
}

// over waits for the end of a process that was told to end.
func (p *process) over() bool {
	limit := time.NewTimer(5 * time.Minute)
	defer limit.Stop()
	select {
	case <-p.done:
		return true
	case <-limit.C:
		return false
	}
}

func (p *process) status() string {
	if text := p.seen.Load(); text != nil {
		return *text
	}
	return ""
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// freeze stops the process to the world for a while, as SIGSTOP does: what it does meanwhile arrives later.
func (p *process) freeze(d time.Duration) {
	until := time.Now().Add(d)
	p.link.freeze(until)
	p.bucket.freeze(until)
}

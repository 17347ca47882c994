package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// struckLife draws a life in which one thing goes wrong. Every second seed has two processes, whose tasks move.
func struckLife(seed uint64, env environment, s *strike, orders *compiled, wide *shape) *life {
	l := &life{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x3a7)), strike: s}
	rng := l.rng
	l.drawn = &drawn{
		commit: 500 * time.Millisecond, checkpoint: time.Second, roll: 5 * time.Second, rollBytes: 8 << 10, idleAfter: 24 * time.Hour,
		commitTimeout: pick(rng, 5*time.Second, 30*time.Second), retry: 5 * time.Minute, session: 6 * time.Second, transaction: pick(rng, 3*time.Second, 10*time.Second),
		keep: 2, poll: pick(rng, 7, 1000),
	}
	if s.cell != nil && s.cell.lasts {
		l.drawn.retry = 20 * time.Second
	}
	if env == rekeyed {
		l.subject = wide.subject(rng, l.drawn)
	} else {
		l.subject = orders.orders(rng, l.drawn)
	}
	l.tally, l.seen, l.bucket, l.net = map[string]int{}, map[string]string{}, blob.NewMemory(), newNetwork()
	l.weather = &weather{rng: l.stream(1), favoured: -1, met: map[fate]int{}, byKey: map[int16]int{}, chosen: s.draw, spoil: s.spoil}
	l.climate = &climate{rng: l.stream(2)}
	l.mood = &mood{rng: l.stream(3)}
	for i := range 1 + seed%2 {
		l.machines = append(l.machines, &machine{id: string(rune('a' + i)), life: l, disk: statetest.NewPowerLoss()})
	}
	return l
}

// struck runs the life.
func (l *life) struck(env environment) error {
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	topics := map[string]int32{}
	for i := range l.subject.plan.Sources {
		topics[l.subject.plan.Sources[i].Topic] = l.subject.width
	}
	var opts []kfake.Opt
	if env == before4 {
		opts = append(opts, kfake.MaxVersions(kversion.V3_9_0()))
	}
	var err error
	if l.cluster, err = newBroker(l.net, 1, topics, l.mood, nil, opts...); err != nil {
		return err
	}
	defer l.cluster.Close()
	if c := l.strike.cell; c != nil {
		l.cluster.Fault(c.faults(l.strike)...)
	}
	if err := l.openProducer(); err != nil {
		return err
	}
	defer l.producer.Close()
	if err := l.runStruck(); err != nil {
		return err
	}
	if err := l.produce(len(l.subject.messages)); err != nil {
		return err
	}
	l.endStruck()
	return l.judge()
}

// portions is in how many the log grows while the processes run.
const portions = 4

// runStruck runs the processes while the log grows, and stops them.
func (l *life) runStruck() error {
	n := len(l.subject.messages)
	for i := range portions {
		if err := l.produce(n * (i + 1) / (portions + 1)); err != nil {
			return err
		}
		for j, m := range l.machines {
			if j <= i {
				l.rouse(m)
			}
		}
		time.Sleep(time.Second)
	}
	if c := l.strike.cell; c != nil && c.moment.act == running && !l.strike.happened().IsZero() {
		time.Sleep(2*time.Second + c.late())
	}
	l.deny()
	for _, m := range l.machines {
		l.rouse(m)
		if m.now != nil {
			m.now.cancel()
		}
	}
	for _, m := range l.machines {
		l.buryStruck(m)
	}
	return nil
}

// deny waits until the processes have ended for want of a permission, and gives it back to them.
func (l *life) deny() {
	if !l.strike.denies() {
		return
	}
	ended := 0
	for _, m := range l.machines {
		if m.now == nil {
			continue
		}
		limit := time.Now().Add(2 * time.Minute)
		for !m.now.ended() && time.Now().Before(limit) {
			time.Sleep(time.Second)
		}
		if m.now.ended() {
			ended++
			l.buryStruck(m)
		}
	}
	if ended == 0 && !l.spared() {
		l.fail("no process ended although it may not do what it needs")
	}
	l.strike.remove()
	for _, m := range l.machines {
		l.rouse(m)
	}
	time.Sleep(2 * time.Second)
}

// spared says whether the process can do without what it may not do any more: its topics are there.
func (l *life) spared() bool { return l.strike.cell.key == kmsg.CreateTopics }

// rouse starts a process that is not there, or has ended and is to be started again.
func (l *life) rouse(m *machine) {
	if l.strike.denies() {
		return
	}
	if m.now != nil && m.now.ended() {
		l.buryStruck(m)
	}
	if m.now == nil {
		m.start(doom{}, false)
	}
}

// buryStruck looks at how a process ended.
func (l *life) buryStruck(m *machine) {
	if m.now == nil {
		return
	}
	err := func() error { p := m.now; l.bury(m); return p.err }()
	if err != nil && !errors.Is(err, context.Canceled) {
		l.excuse(err)
	}
}

// excuse holds the error with which a process ended against what happened to it.
func (l *life) excuse(err error) {
	c := l.strike.cell
	switch {
	case c == nil || l.strike.happened().IsZero():
		l.fail("a process ended although nothing had happened to it: %v", err)
	case c.lasts:
		if !strings.Contains(err.Error(), c.answer.Message) {
			l.fail("the error doesn't say %s: %v", c.answer.Message, err)
		}
		if passes(err) {
			l.fail("a missing permission is said to pass by itself: %v", err)
		}
		l.tally["ended for want of a permission"]++
	case errors.Is(err, kafka.ErrInstanceFenced):
		l.tally["ended by another of its name"]++
	case c.answer != nil && !c.answer.Retriable && setupKeys[c.key] && strings.Contains(err.Error(), c.answer.Message):
		l.tally["ended at its start, saying what the broker had said"]++
	default:
		l.fail("the process ended: %v", err)
	}
}

// setupKeys are what a process asks before its first session: an answer that is no reason to ask again ends it there.
var setupKeys = map[kmsg.Key]bool{kmsg.Metadata: true, kmsg.CreateTopics: true, kmsg.ListOffsets: true, kmsg.ApiVersions: true}

// passes is what the exit code 5 says: trying again may help.
func passes(err error) bool {
	var op *net.OpError
	return errors.Is(err, kafka.ErrFenced) || errors.Is(err, kafka.ErrUnknownOutcome) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &op)
}

// endStruck runs the pipeline to its end; a process that ended for a good reason is started again.
func (l *life) endStruck() {
	l.strike.begin(ending)
	for range 3 {
		p := l.machines[0].start(doom{}, true)
		over := p.over()
		if !over {
			l.fail("the last run does not come to its end: %s", p.status())
			p.cancel()
			<-p.done
			return
		}
		l.machines[0].now = nil
		var stopped *stream.StoppedError
		if p.err != nil && (len(l.faults) > 0 || errors.As(p.err, &stopped)) {
			l.fail("the last run: %v", p.err)
			return
		}
		if p.err != nil {
			l.excuse(p.err)
			continue
		}
		l.sum = p.sum
		if c := &p.sum.Counters; !p.sum.Balanced() || c.Consumed != int64(len(l.subject.messages)) {
			l.fail("accounting %+v of %d records", c, len(l.subject.messages))
		}
		return
	}
	l.fail("the last run ended three times")
}

// correctStruck lets reconcile meet what it is to meet. It may fail, and then the next one, which judge starts, is to go on.
func (l *life) correctStruck() error {
	s := l.strike
	if s == nil || s.cell != nil && s.cell.moment.act != correcting {
		return nil
	}
	s.begin(correcting)
	way := newLink(l.net, l.weather)
	k := kafka.Options{Brokers: l.cluster.ListenAddrs(), Dial: way.dial}
	r, err := reconcile.New(reconcile.Options{Plan: l.subject.plan, Kafka: k, Bucket: l.bucket, Now: time.Now, Run: "struck"})
	if err != nil {
		return err
	}
	_, err = r.Apply(context.Background(), reconcile.ApplyOptions{})
	l.log("reconcile").Info("ended", "err", err)
	switch {
	case err != nil && s.happened().IsZero():
		l.fail("reconcile, to which nothing happened: %v", err)
	case err != nil && s.cell.answer != nil && s.cell.lasts && !strings.Contains(err.Error(), s.cell.answer.Message):
		l.fail("reconcile: the error doesn't say %s: %v", s.cell.answer.Message, err)
	case err != nil:
		l.tally["reconciles that failed"]++
		l.tally[fmt.Sprintf("reconcile failed: %s", s.cell.key.Name())]++
	}
	s.remove()
	if c := s.cell; c != nil {
		time.Sleep(c.late())
	}
	return nil
}

// closedBy is what the stream closed: a function of the log (L4), whatever happened.
func closedBy(lines []line) map[string]string {
	all := map[string]string{}
	for _, p := range lines {
		if !p.open {
			all[fmt.Sprintf("%d %s", p.output, p.window)] = fmt.Sprintf("revision %d, retracted %v: %s", p.revision, p.retracted, p.values)
		}
	}
	return all
}

// same holds what the stream closed against what it closes when nothing happens: reconcile would hide what it had lost.
func (l *life) same(quiet map[string]string) {
	for window, is := range quiet {
		if got := l.closed[window]; got != is && len(l.faults) == 0 {
			l.fail("the stream closed %s\nwith %q,\nand with %q when nothing happens", window, got, is)
		}
	}
	if len(l.closed) != len(quiet) {
		l.fail("the stream closed %d windows, and %d when nothing happens", len(l.closed), len(quiet))
	}
}

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// An Order is an operator's answer to one stop: that records which retention has taken unread, or unlanded, are given up. It
// lies in the bucket, orders/<pipeline>/<task>/<n>.json, and holds for that stop only: for the offsets and the last decision that
// it names. The process that owns the task carries it out as a change decision (law L5), in its next commit: the task begins
// a new life at the first record that is still there, beyond every window that holds confirmed events, and what it has seen of
// those windows is the reconciler's (law L2).
type Order struct {
	Version  int         `json:"version"`
	Pipeline string      `json:"pipeline"`
	Task     int32       `json:"task"`
	GivenAt  time.Time   `json:"given_at"`
	Reason   string      `json:"reason"`
	Inputs   []StopInput `json:"inputs"`
}

// ResumeOptions are what Resume needs. All are required.
type ResumeOptions struct {
	Plan   *pipeline.Plan
	Kafka  kafka.Options
	Bucket blob.Bucket
	Now    func() time.Time
	Task   int32
	Reason string // the journal keeps it
}

// ErrNotStopped says that there is nothing to resume.
var ErrNotStopped = errors.New("the task is not stopped")

// Resume gives an order for a stopped task whose records are gone. given is false if the same order was given before.
func Resume(ctx context.Context, o ResumeOptions) (order *Order, given bool, err error) {
	admin, err := kafka.NewAdmin(o.Kafka)
	if err != nil {
		return nil, false, err
	}
	defer admin.Close()
	p := o.Plan.Pipeline
	stop, err := ReadStop(ctx, o.Bucket, p.Name, o.Task)
	if err != nil {
		return nil, false, err
	}
	if stop == nil {
		return nil, false, fmt.Errorf("task %d of %s: %w", o.Task, p.Name, ErrNotStopped)
	}
	topics := make([]string, len(o.Plan.Sources))
	for i := range o.Plan.Sources {
		topics[i] = o.Plan.Sources[i].Topic
	}
	if o.Plan.Rekeyed {
		topics = append(topics, p.RepartitionTopic())
	}
	sources, found, err := asked(ctx, admin, p.Group(), topics)
	if err != nil {
		return nil, false, err
	}
	order = &Order{Version: stopVersion, Pipeline: p.Name, Task: o.Task, GivenAt: o.Now().UTC(), Reason: o.Reason,
		Inputs: standing(sources, found, o.Task)}
	next := make([]int64, len(order.Inputs))
	for i, in := range order.Inputs {
		next[i] = in.Committed
	}
	if !stop.Holds(next) {
		return nil, false, fmt.Errorf("task %d of %s: %w: it has gone on since", o.Task, p.Name, ErrNotStopped)
	}
	if err := order.answers(ctx, o, stop); err != nil {
		return nil, false, err
	}
	given, err = order.give(ctx, o.Bucket)
	return order, given, err
}

// answers refuses an order that would not help.
func (o *Order) answers(ctx context.Context, opts ResumeOptions, stop *Stop) error {
	if opts.Plan.Rekeyed {
		return fmt.Errorf("task %d of %s: a task behind a repartition topic can't begin anew by itself, since others forward to its windows: give the pipeline a new name", o.Task, o.Pipeline)
	}
	for i, in := range o.Inputs {
		if in.TopicID != stop.Inputs[i].TopicID || in.Committed < 0 {
			break // another topic, or nothing that one could go on from
		}
		if in.Committed < in.First {
			return nil
		}
		topic, err := lake.LookTopic(ctx, opts.Bucket, in.Topic)
		if err != nil {
			return err
		}
		log := topic.Log(o.Task)
		if err := log.Refresh(ctx); err != nil {
			return err
		}
		if log.Begun() && log.End() < in.First {
			return nil
		}
	}
	return fmt.Errorf("task %d of %s did not stop because records are gone, so that accepting their loss helps nothing: %s", o.Task, o.Pipeline, stop.Error)
}

// fixLoss is the remedy where records are gone.
func (r *runner) fixLoss(id int32) string {
	if r.o.Plan.Rekeyed {
		return "to go on without them, give the pipeline a new name"
	}
	return fmt.Sprintf("to go on without them, say `tidemark resume -f FILE --task %d --accept-loss --reason TEXT`", id)
}

func orderPrefix(name string, task int32) string {
	return fmt.Sprintf("orders/%s/%d/", blob.EncodeName(name), task)
}

// give puts the order behind those that were given before, unless it is one of them.
func (o *Order) give(ctx context.Context, b blob.Bucket) (bool, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return false, fmt.Errorf("encode order: %w", err)
	}
	for {
		before, err := orders(ctx, b, o.Pipeline, o.Task)
		if err != nil {
			return false, err
		}
		for i := range before {
			if slices.Equal(before[i].Inputs, o.Inputs) {
				return false, nil
			}
		}
		err = b.PutIfAbsent(ctx, fmt.Sprintf("%s%010d.json", orderPrefix(o.Pipeline, o.Task), len(before)+1), text)
		if !errors.Is(err, blob.ErrExists) {
			return err == nil, err
		}
	}
}

// ordersMax bounds the orders of one task.
const ordersMax = 10_000

// orders are those that were given for a task, in their order.
func orders(ctx context.Context, b blob.Bucket, name string, task int32) ([]Order, error) {
	var keys []string
	err := b.List(ctx, orderPrefix(name, task), func(o blob.Object) error {
		if keys = append(keys, o.Key); len(keys) > ordersMax {
			return fmt.Errorf("more than %d orders below %s", ordersMax, orderPrefix(name, task))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the orders for task %d: %w", task, err)
	}
	var all []Order
	for _, key := range keys {
		data, err := b.Get(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		var o Order
		if err := decodeStrictly(data, &o); err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		if o.Version != stopVersion {
			return nil, fmt.Errorf("read %s: version %d, this program knows %d: use a newer tidemark", key, o.Version, stopVersion)
		}
		all = append(all, o)
	}
	return all, nil
}

// answered returns the order that answers a task's stop; nil if there is none. A task that could be opened is asked for, too
// (why is nil): a process may have died between making the lake pass over what is lost and the commit that journals why. Then
// the task would go on as if nothing had been lost.
func (r *runner) answered(ctx context.Context, id int32, found []brokerSays, why error) (*Order, error) {
	var stop *StopError
	if why != nil && !errors.As(why, &stop) || r.changing || r.o.Plan.Rekeyed {
		return nil, nil
	}
	all, err := orders(ctx, r.o.Bucket, r.o.Plan.Pipeline.Name, id)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.ordersSeen[id] = len(all)
	r.mu.Unlock()
	now := standing(r.sources, found, id)
	for i := range all {
		if !slices.Equal(all[i].Inputs, now) {
			continue
		}
		if why == nil {
			begun, err := r.begun(ctx, &all[i])
			if !begun || err != nil {
				return nil, err
			}
		}
		return &all[i], nil
	}
	return nil, nil
}

// begun says whether an order has been carried out in the lake: the log of an input passes over what was lost.
func (r *runner) begun(ctx context.Context, order *Order) (bool, error) {
	for i, in := range order.Inputs {
		log := r.sources[i].lake.Lake.Log(order.Task)
		if err := log.Refresh(ctx); err != nil {
			return false, fmt.Errorf("lake log of %s/%d: %w", in.Topic, order.Task, err)
		}
		for _, e := range log.Entries() {
			if e.End == in.First && e.Records == 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// errOrdered ends a session for a task that an order was given for: it begins anew in the next one.
var errOrdered = errors.New("an order was given for a stopped task")

// lookForOrders ends the session if there is a new order for a task that stopped before it began.
func (r *runner) lookForOrders(ctx context.Context) error {
	r.mu.Lock()
	var waiting []int32
	for id := range r.stopped {
		if r.tasks[id] == nil {
			waiting = append(waiting, id)
		}
	}
	r.mu.Unlock()
	for _, id := range waiting {
		n := 0
		err := r.o.Bucket.List(ctx, orderPrefix(r.o.Plan.Pipeline.Name, id), func(o blob.Object) error {
			if strings.HasSuffix(o.Key, ".json") {
				n++
			}
			return nil
		})
		if err != nil {
			return r.tolerate(fmt.Errorf("list the orders for task %d: %w", id, err))
		}
		r.mu.Lock()
		seen := r.ordersSeen[id]
		r.mu.Unlock()
		if n > seen {
			return errOrdered
		}
	}
	return nil
}

// anew carries an order out: the task begins a new life where the topics begin. The lake's log passes over what was never
// landed.
func (r *runner) anew(ctx context.Context, id int32, c committed, order *Order) (*task, error) {
	mark, err := r.reached(ctx, id, c)
	if err != nil {
		return nil, err
	}
	next := make([]int64, len(c.at))
	for i := range c.at {
		next[i] = max(c.at[i].next, c.at[i].ends.Start)
	}
	t, err := r.newLife(id, c, next)
	if err != nil {
		return nil, err
	}
	err = r.refill(ctx, t)
	for i, in := range t.inputs {
		if err == nil {
			err = r.passOver(ctx, t, in, c.at[i].ends)
		}
	}
	if err == nil {
		err = t.change(mark, order.Reason)
	}
	if err != nil {
		return nil, errors.Join(err, t.store.Close())
	}
	r.log.Warn("task begins anew by an operator's order", "task", id, "from", offsetsText(c.position()), "to", t.position(), "reason", order.Reason)
	return t, nil
}

// reached is the time beyond every window in which a task has confirmed events: its old state, brought to the committed
// cut, says so. If what that needs is gone, too, it is the newest state that there is, and every window that was ever
// published as closed.
func (r *runner) reached(ctx context.Context, id int32, c committed) (int64, error) {
	store, cut, from, err := r.openState(ctx, id, c)
	if err != nil {
		return 0, err
	}
	published := int64(window.NoWatermark)
	t, err := r.newTask(id, store, cut, from, c.life)
	if err == nil {
		var stop *StopError
		if err = r.reach(ctx, t, cut != nil, c); errors.As(err, &stop) {
			published, err = r.published(ctx)
		}
	}
	if err != nil {
		return 0, errors.Join(err, store.Close())
	}
	mark := max(t.flow.Bound(t.now()+t.maxFuture()), published)
	for i := range t.inputs {
		mark = max(mark, t.flow.Reached(i))
	}
	return mark, store.Close()
}

// published is the watermark at which the last of all windows closed that were published as closed, whoever had them.
func (r *runner) published(ctx context.Context) (int64, error) {
	mark := int64(window.NoWatermark)
	for i, out := range r.o.Plan.Outputs {
		ends, err := r.admin.Offsets(ctx, out.Name)
		if err != nil {
			return 0, fmt.Errorf("offsets of %s: %w", out.Name, err)
		}
		for p, e := range ends {
			err := kafka.ReadRange(ctx, r.o.Kafka, out.Name, p, e.Start, e.LastStable, func(rec *kafka.Record) error {
				var row curated.Row
				if rec.Attrs.IsControl() || rec.Value == nil {
					return nil
				}
				if err := r.o.Plan.Codecs[i].Decode(rec.Key, rec.Value, &row); err != nil {
					return fmt.Errorf("%s: %w", place(rec), err)
				}
				if row.Status == curated.Closed {
					mark = max(mark, row.End+out.Lateness)
				}
				return nil
			})
			if err != nil {
				return 0, err
			}
		}
	}
	return mark, nil
}

// passOver lets the lake's log of an input go on where the topic begins, if it ends before.
func (r *runner) passOver(ctx context.Context, t *task, in *input, ends kafka.Ends) error {
	l, err := r.lander(ctx, t, in, ends)
	if err != nil || l == nil {
		return err
	}
	defer l.Close()
	l.Advance(ends.Start)
	return r.sources[in.number].lake.UpTo(ctx, r.o.Kafka, l, t.id, ends.Start)
}

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// An Order is an operator's answer to one stop: that records which retention has taken unread, or unlanded, are given up. It
// lies in the bucket, orders/<pipeline>/<task>/<n>.json, and holds for that stop only: for the topics, the committed offsets and
// the last decision that it names. What retention takes until it is carried out is given up, too. The process that owns the task carries it out as a change decision (law L5), in its next commit: the task begins
// a new life at the first record that is still there, beyond every window that holds confirmed events, and what it has seen of
// those windows is the reconciler's (law L2).
type Order struct {
	Version  int         `json:"version"`
	Pipeline string      `json:"pipeline"`
	Task     int32       `json:"task"`
	GivenAt  time.Time   `json:"given_at"`
	Reason   string      `json:"reason"`
	Inputs   []StopInput `json:"inputs"`

	number int64 // among the task's orders
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
	info, err := admin.Topic(ctx, o.Plan.Sources[0].Topic)
	if err != nil {
		return nil, false, fmt.Errorf("topic %s: %w", o.Plan.Sources[0].Topic, err)
	}
	if o.Task < 0 || o.Task >= info.Partitions {
		return nil, false, fmt.Errorf("there is no task %d of %s: its tasks are 0 to %d, one for each partition of %s", o.Task, p.Name, info.Partitions-1, info.Name)
	}
	stop, err := ReadStop(ctx, o.Bucket, p.Name, o.Task)
	if err != nil {
		return nil, false, err
	}
	if stop == nil {
		return nil, false, fmt.Errorf("task %d of %s: %w", o.Task, p.Name, ErrNotStopped)
	}
	sources, found, err := asked(ctx, admin, p.Group(), inputTopics(o.Plan))
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
			if before[i].void(o.Inputs) == "" {
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
	for i, key := range keys {
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
		o.number = int64(i) + 1
		all = append(all, o)
	}
	return all, nil
}

// void says why an order isn't for where its task stands now; empty if it is. Where the topics begin is no matter: retention
// goes on while an order waits.
func (o *Order) void(now []StopInput) string {
	if len(now) != len(o.Inputs) {
		return fmt.Sprintf("it is of %d topics, the task has %d", len(o.Inputs), len(now))
	}
	for i, in := range o.Inputs {
		is := &now[i]
		where := fmt.Sprintf("%s/%d", in.Topic, o.Task)
		switch {
		case is.Topic != in.Topic:
			return fmt.Sprintf("it is of %s, the task reads %s", in.Topic, is.Topic)
		case is.TopicID != in.TopicID:
			return fmt.Sprintf("%s was deleted and created again (id %s, was %s)", in.Topic, is.TopicID, in.TopicID)
		case is.Committed != in.Committed:
			return fmt.Sprintf("it is for offset %d of %s, the task has committed %d", in.Committed, where, is.Committed)
		case is.Decision != in.Decision:
			return fmt.Sprintf("it was given behind decision %d of %s, the task has taken decision %d", in.Decision, where, is.Decision)
		}
	}
	return ""
}

// withVoid adds to why a task stops that its newest order isn't for this stop: an operator who waits for it must know. now is where
// the task stands, all are its orders.
func withVoid(why error, all []Order, now []StopInput) error {
	if len(all) == 0 {
		return why
	}
	o := &all[len(all)-1]
	void := o.void(now)
	if void == "" {
		return why
	}
	return fmt.Errorf("%w; order %d, given %s, was found and does not apply to this stop: %s", why, o.number, o.GivenAt.Format(time.RFC3339), void)
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

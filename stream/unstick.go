package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// answered returns the order that answers a task's stop; nil if there is none, and then why the task stops, which tells of an
// order that doesn't apply. A task that could be opened is asked for, too (why is nil): a process may have died between making
// the lake pass over what is lost and the commit that journals why. Then the task would go on as if nothing had been lost. Where a
// topic has grown, too, the order is the change's to carry out (forgo).
func (r *runner) answered(ctx context.Context, id int32, found []brokerSays, why error) (*Order, error) {
	var stop *StopError
	if why != nil && !errors.As(why, &stop) || r.changing || r.o.Plan.Rekeyed {
		return nil, why
	}
	all, err := orders(ctx, r.o.Bucket, r.o.Plan.Pipeline.Name, id)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.ordersSeen[id] = len(all)
	r.mu.Unlock()
	now := standing(r.sources, found, id)
	if why != nil && r.grownSince(id, found) {
		return nil, r.inFull(why, id, all, now)
	}
	order := waiting(all, now)
	switch {
	case order == nil && why == nil:
		return nil, nil
	case order == nil:
		return nil, withVoid(why, all, now)
	case why == nil:
		begun, err := r.begun(ctx, order)
		if !begun || err != nil {
			return nil, err
		}
	}
	return order, nil
}

// begun says whether an order has been carried out in the lake: the log of an input names it where it passes over what was lost.
func (r *runner) begun(ctx context.Context, order *Order) (bool, error) {
	for i, in := range order.Inputs {
		log := r.sources[i].lake.Lake.Log(order.Task)
		if err := log.Refresh(ctx); err != nil {
			return false, fmt.Errorf("lake log of %s/%d: %w", in.Topic, order.Task, err)
		}
		for _, e := range log.Entries() {
			if g := e.GivenUp; g != nil && g.Pipeline == order.Pipeline && g.Order == order.number {
				return true, nil
			}
		}
	}
	return false, nil
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
	for i, in := range t.inputs {
		if err == nil {
			err = r.passOver(ctx, t, in, c.at[i].ends, order)
		}
	}
	if err == nil {
		err = r.refill(ctx, t)
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

// passOver lets the lake's log of an input go on where the topic begins, if it ends before. The log keeps why: an order that
// the first decision of the task's new life journals.
func (r *runner) passOver(ctx context.Context, t *task, in *input, ends kafka.Ends, order *Order) error {
	l, err := r.lander(ctx, t, in, ends)
	if err != nil || l == nil {
		return err
	}
	defer l.Close()
	return l.GiveUp(ctx, ends.Start, lake.GivenUp{
		Pipeline: order.Pipeline, Order: order.number, Decision: t.life, At: r.o.Now().UnixMilli(), Reason: order.Reason,
	})
}

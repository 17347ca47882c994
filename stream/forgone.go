package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/landing"
	"github.com/tidemark-io/tidemark/stream/window"
)

// A task may need a change decision and have lost records at the same time: its topic has grown, and retention has gone on. The
// loss is accepted first, by an order (Resume), which the change then carries out: a run can't, as it would begin the task beside
// others that know of fewer partitions.

// waiting is the order that is for where a task stands; nil if there is none.
func waiting(all []Order, now []StopInput) *Order {
	for i := range all {
		if all[i].void(now) == "" {
			return &all[i]
		}
	}
	return nil
}

// unread is the first input of a task that no longer has all that the task has not read; nil if all do.
func unread(now []StopInput) *StopInput {
	for i := range now {
		if in := &now[i]; in.Committed >= 0 && in.Committed < in.First {
			return in
		}
	}
	return nil
}

// inFull adds to why all tasks stop what is to be done for this one besides: its orders are all, now is where it stands.
func (r *runner) inFull(why error, id int32, all []Order, now []StopInput) error {
	in := unread(now)
	if in == nil {
		return withVoid(why, all, now)
	}
	gone := fmt.Sprintf("offsets %d to %d of %s/%d were deleted before they were read", in.Committed, in.First-1, in.Topic, id)
	if o := waiting(all, now); o != nil {
		return fmt.Errorf("%w; %s, which order %d accepts: it is carried out with the change", why, gone, o.number)
	}
	return withVoid(fmt.Errorf("%w; before that: %s; %s", why, gone, r.fixLoss(id)), all, now)
}

// grownSince says whether a task was committed with other partitions than its topics have now.
func (r *runner) grownSince(id int32, found []brokerSays) bool {
	for i, src := range r.sources {
		if commit, ok := found[i].commits[id]; ok {
			meta, err := parseMetadata(commit.Metadata)
			if err == nil && meta.Partitions != src.Partitions {
				return true
			}
		}
	}
	return false
}

// forgo lets a change begin a task behind what its topics no longer have, if an order accepts that. The lake passes over it at
// once: nobody can land it, whatever becomes of the change.
func (c *changer) forgo(ctx context.Context, id int32, found []brokerSays) error {
	r := c.r
	now := standing(r.sources[:len(r.o.Plan.Sources)], found, id)
	in := unread(now)
	if in == nil || r.o.Plan.Rekeyed {
		return nil
	}
	all, err := orders(ctx, r.o.Bucket, r.o.Plan.Pipeline.Name, id)
	if err != nil {
		return err
	}
	order := waiting(all, now)
	if order == nil {
		return withVoid(fmt.Errorf("change: %s/%d: offsets %d to %d were deleted before they were read, and a change can't bring them back; %s, then say `tidemark change` again",
			in.Topic, id, in.Committed, in.First-1, r.fixLoss(id)), all, now)
	}
	mark, err := r.published(ctx)
	if err != nil {
		return err
	}
	c.report.Time = max(c.report.Time, mark)
	for i := range now {
		at := &c.lives[id].at[i]
		at.next = max(at.next, at.ends.Start)
		if c.o.DryRun {
			continue
		}
		t := &task{id: id, life: c.lives[id].journal + 1, plan: r.o.Plan}
		if err := r.passOver(ctx, t, newInput(i, r.sources[i].TopicInfo), at.ends, order); err != nil {
			return err
		}
	}
	return nil
}

// observeLeft is observe for a task that may have given up a part of the range: it sees what is left on both sides of that.
func (c *changer) observeLeft(ctx context.Context, id int32, i int, from, to int64, wm *window.Watermark, decisions []journal.Entry) error {
	at := &c.lives[id].at[i]
	src := c.r.sources[i]
	if from >= at.ends.Start || at.next != at.ends.Start || src.lake == nil {
		return c.observe(ctx, id, i, from, to, wm, decisions)
	}
	log := src.lake.Lake.Log(id)
	if err := log.Refresh(ctx); err != nil {
		return fmt.Errorf("lake log of %s/%d: %w", src.Name, id, err)
	}
	for _, e := range log.Entries() {
		if e.GivenUp != nil || e.End <= from || e.First >= at.ends.Start {
			continue
		}
		if err := c.observe(ctx, id, i, max(from, e.First), min(e.End, at.ends.Start), wm, decisions); err != nil {
			return err
		}
	}
	return c.observe(ctx, id, i, at.ends.Start, to, wm, decisions)
}

// lakes lets a dry run, which opens nothing, read what the lake has.
func (c *changer) lakes(ctx context.Context) error {
	for i, src := range c.r.sources {
		if src.lake != nil || i >= len(c.r.o.Plan.Sources) {
			continue
		}
		topic, err := lake.LookTopic(ctx, c.r.o.Bucket, src.Name)
		if errors.Is(err, blob.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lake of %s: %w", src.Name, err)
		}
		src.lake = &landing.Topic{Name: src.Name, Lake: topic}
	}
	return nil
}

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// examine reads what is in force, and from which time on the plan could be.
func (c *changer) examine(ctx context.Context) error {
	r := c.r
	found, err := r.found(ctx)
	if err != nil {
		return err
	}
	c.report = &ChangeReport{Pipeline: r.o.Plan.Pipeline.Name, To: r.o.Plan.Fingerprint, Changed: c.o.Restart, Reason: c.o.Reason, Time: window.NoWatermark}
	c.report.Partitions[1] = r.width()
	c.lives = make([]committed, r.width())
	lived := false
	for id := range r.width() {
		if c.lives[id], err = c.lifeOf(id, found); err != nil {
			return err
		}
		lived = lived || c.lives[id].found
	}
	if !lived {
		return ErrNeverRan
	}
	if !c.report.Changed {
		return nil
	}
	if err := c.lakes(ctx); err != nil {
		return err
	}
	for id := range r.width() {
		if err := c.forgo(ctx, id, found); err != nil {
			return err
		}
		if err := c.raiseFor(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// lifeOf is what the broker says of a task under whatever definition was in force, and where its inputs stand.
func (c *changer) lifeOf(id int32, found []brokerSays) (committed, error) {
	r := c.r
	life := committed{at: make([]committedAt, len(found))}
	for i, src := range r.sources {
		at := &life.at[i]
		at.ends = found[i].ends[id]
		commit, ok := found[i].commits[id]
		if src.Name == r.o.Plan.Pipeline.RepartitionTopic() && r.o.Plan.Rekeyed {
			// What is in it are events of windows below the decision's time, forwarded by the definition that was in force.
			if at.ends.LastStable < at.ends.High {
				return life, fmt.Errorf("change: a transaction is still open in %s/%d: try again in a few seconds", src.Name, id)
			}
			at.next = at.ends.High
			continue
		}
		if !ok {
			// A partition that a known topic has grown by has nothing that was before the pipeline.
			grown := len(found[i].commits) > 0
			if at.next = at.ends.Start; !grown && r.o.Plan.Sources[i].Spec.Start == pipeline.StartLatest {
				at.next = at.ends.High
			}
			c.report.Changed = true
			continue
		}
		if err := c.was(&life, src, id, i, commit); err != nil {
			return life, err
		}
	}
	return life, nil
}

// was takes what a committed offset says of the life so far.
func (c *changer) was(life *committed, src *source, id int32, i int, commit kafka.Commit) error {
	meta, err := parseMetadata(commit.Metadata)
	if err != nil {
		return fmt.Errorf("change: %s/%d: %w", src.Name, id, err)
	}
	if meta.TopicID != src.ID {
		return fmt.Errorf("change: topic %s was deleted and created again: its offsets mean other records, and the lake has those of before: give the pipeline a new name", src.Name)
	}
	at := &life.at[i]
	at.next, at.meta = commit.Next, meta
	life.found, life.journal, life.life = true, max(life.journal, meta.Journal), max(life.life, meta.Life)
	c.report.From = meta.Fingerprint
	if had := &c.report.Partitions[0]; *had == 0 || meta.Partitions < *had {
		*had = meta.Partitions
	}
	if meta.Fingerprint != c.r.o.Plan.Fingerprint || meta.Partitions != src.Partitions {
		c.report.Changed = true
	}
	return nil
}

// raiseFor raises the decision's time above what a task has read.
func (c *changer) raiseFor(ctx context.Context, id int32) error {
	p := c.r.o.Plan
	life := &c.lives[id]
	for i := range p.Sources {
		to := life.at[i].next
		if c.report.Partitions[0] != c.report.Partitions[1] {
			to = life.at[i].ends.High // by the partitioning of before, too
		}
		mark, err := c.believed(ctx, id, i, to)
		if err != nil {
			return fmt.Errorf("change: how far %s/%d has come: %w", p.Sources[i].Topic, id, err)
		}
		if mark != window.NoWatermark {
			c.report.Time = max(c.report.Time, flow.Closes(p, mark))
		}
	}
	return nil
}

// believed is the highest event time of a partition that is believed, among the records below an offset: that of the newest
// checkpoint below the committed offset, moved on by the records since, and by the decisions since.
func (c *changer) believed(ctx context.Context, id int32, i int, to int64) (int64, error) {
	r := c.r
	src := r.sources[i]
	at := &c.lives[id].at[i]
	wm, from, after := window.NewWatermark(), at.meta.Born, int64(0)
	if at.meta.TopicID == "" {
		from = at.next
	}
	cut, seen, err := r.lastSeen(ctx, id, src, at.next, c.lives[id].journal)
	if err != nil {
		return 0, err
	}
	if cut != nil {
		if err := json.Unmarshal(seen.Watermark, &wm); err != nil {
			return 0, fmt.Errorf("watermark of a checkpoint: %w", err)
		}
		from, after = seen.Next, cut.Journal
	}
	decisions, err := r.decisions(ctx, id, after, c.lives[id].journal)
	if err != nil {
		return 0, err
	}
	decisions = slices.DeleteFunc(decisions, func(e journal.Entry) bool { return e.Topic != src.Name || !e.HasWatermark })
	if err := c.observeLeft(ctx, id, i, from, to, &wm, decisions); err != nil {
		return 0, err
	}
	return wm.Base, nil
}

// lastSeen is the newest readable checkpoint of a task, by whatever definition, that has read no further in a source than
// was committed.
func (r *runner) lastSeen(ctx context.Context, id int32, src *source, below, journal int64) (*state.Cut, *state.Source, error) {
	names, err := state.Manifests(ctx, r.o.Bucket, r.checkpointPrefix(id))
	if err != nil {
		return nil, nil, fmt.Errorf("list checkpoints of task %d: %w", id, err)
	}
	for _, name := range names {
		m, err := state.LoadManifest(ctx, r.o.Bucket, name.Key)
		var corrupt *state.CorruptError
		if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("task %d: %w", id, err)
		}
		for i := range m.Cut.Sources {
			if s := &m.Cut.Sources[i]; s.Topic == src.Name && s.TopicID == src.ID && s.Next <= below && m.Cut.Journal <= journal {
				return &m.Cut, s, nil
			}
		}
	}
	return nil, nil, nil
}

// observe lets the records of a range move a watermark, and each decision at its offset.
func (c *changer) observe(ctx context.Context, id int32, i int, from, to int64, wm *window.Watermark, decisions []journal.Entry) error {
	p := c.r.o.Plan
	obey := func(upTo int64) {
		for len(decisions) > 0 && decisions[0].Offset <= upTo {
			wm.Raise(decisions[0].Watermark, p.Sources[i].Watermark)
			decisions = decisions[1:]
		}
	}
	eval := p.NewEval()
	in := newInput(i, c.r.sources[i].TopicInfo)
	in.next = from
	for rec, err := range c.r.records(ctx, &task{id: id, plan: p}, in, to) {
		if err != nil {
			return err
		}
		if rec.Attrs.IsControl() {
			continue
		}
		obey(rec.Offset)
		var bad *schema.RecordError
		if err := eval.Decode(i, rec.Value); errors.As(err, &bad) {
			continue
		} else if err != nil {
			return fmt.Errorf("%s: %w", place(rec), err)
		}
		event, ok := eval.Identity()
		if !ok {
			event = flow.PlaceID(flow.Place{Partition: rec.Partition, Offset: rec.Offset})
		}
		wm.Observe(eval.Event.Time, event, p.Sources[i].Watermark)
	}
	obey(math.MaxInt64)
	return nil
}

package status

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Down is the state of a task that no process owns.
const Down = "DOWN"

// Source is where a pipeline's state is read from.
type Source struct {
	Plan   *pipeline.Plan
	Kafka  kafka.Options
	Bucket blob.Bucket
	Now    func() time.Time
}

// Collect reads the document from what is durable, so it also tells of a pipeline that doesn't run.
func Collect(ctx context.Context, s Source) (*Document, error) {
	admin, err := kafka.NewAdmin(s.Kafka)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	p := s.Plan.Pipeline
	d := &Document{
		APIVersion: apiVersion, Kind: kind, Pipeline: p.Name, Fingerprint: s.Plan.Fingerprint, Topic: p.Source.Topic,
		At: s.Now().UTC(), Tasks: []Task{}, Outputs: []Output{},
	}
	for _, o := range p.Outputs {
		d.output(o.Name)
	}
	seen, err := look(ctx, admin, s)
	if err != nil {
		return nil, err
	}
	var total state.Counters
	for task := range int32(len(seen.ends)) {
		t, counters, err := seen.task(ctx, s, task)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", task, err)
		}
		d.Tasks = append(d.Tasks, t)
		d.add(&total, counters)
	}
	d.Accounting, d.TasksTotal = NewAccounting(total), len(d.Tasks)
	d.Reconcile, err = units(ctx, s)
	return d, err
}

// seen is what the brokers and the lake say of the source topic.
type seen struct {
	ends      map[int32]kafka.Ends
	committed map[int32]kafka.Commit
	owners    map[int32]string
	lake      *lake.Topic // nil when nothing was landed
}

func look(ctx context.Context, admin *kafka.Admin, s Source) (*seen, error) {
	p := s.Plan.Pipeline
	ends, err := admin.Offsets(ctx, p.Source.Topic)
	if errors.Is(err, kafka.ErrNoTopic) {
		return nil, fmt.Errorf("source topic %s does not exist at %v: produce to it first", p.Source.Topic, s.Kafka.Brokers)
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", p.Source.Topic, err)
	}
	committed, err := admin.Committed(ctx, p.Group(), p.Source.Topic)
	if err != nil {
		return nil, fmt.Errorf("committed offsets of group %s: %w", p.Group(), err)
	}
	owners, err := admin.GroupOwners(ctx, p.Group())
	if err != nil {
		return nil, fmt.Errorf("members of group %s: %w", p.Group(), err)
	}
	landed, err := lake.LookTopic(ctx, s.Bucket, p.Source.Topic)
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("lake of %s: %w", p.Source.Topic, err)
	}
	return &seen{ends: ends, committed: committed, owners: owners, lake: landed}, nil
}

func (n *seen) task(ctx context.Context, s Source, id int32) (Task, *state.Counters, error) {
	ends := n.ends[id]
	t := Task{
		Task: id, Partition: place(s.Plan.Pipeline.Source.Topic, id), State: Down,
		Owner:     strings.TrimPrefix(n.owners[id], s.Plan.Pipeline.TransactionalID("")),
		Committed: ends.Start, LastStable: ends.LastStable, High: ends.High,
	}
	if t.Owner != "" {
		t.State = string(stream.Running)
	}
	if c, ok := n.committed[id]; ok {
		t.Committed = c.Next
	}
	t.Lag = max(0, t.LastStable-t.Committed)
	if n.lake != nil {
		log := n.lake.Log(id)
		if err := log.Refresh(ctx); err != nil {
			return t, nil, fmt.Errorf("lake log: %w", err)
		}
		t.Landed = log.End()
		t.NotLanded = max(0, t.Committed-t.Landed)
	}
	m, err := newest(ctx, s, id)
	if err != nil {
		return t, nil, err
	}
	if m == nil {
		return t, &state.Counters{}, nil
	}
	cut := &m.Cut
	t.Watermark, t.Open = moment(cut.Sources[0].Reached), openWindows(&cut.Counters)
	t.Checkpoint = &Checkpoint{At: time.UnixMilli(m.CreatedAt).UTC(), Next: cut.Sources[0].Next, Gap: max(0, t.Committed-cut.Sources[0].Next)}
	if bound := moment(cut.Bound); t.Open > 0 && bound != nil && cut.Bound != state.NoBound {
		t.Waits = fmt.Sprintf("%d open windows at its checkpoint: the last closes when the watermark of %s reaches %s",
			t.Open, t.Partition, bound.Format(minute))
	}
	return t, &cut.Counters, nil
}

// newest is the newest valid checkpoint of a task by the fingerprint in the file; nil when there is none.
func newest(ctx context.Context, s Source, task int32) (*state.Manifest, error) {
	names, err := state.Manifests(ctx, s.Bucket, fmt.Sprintf("checkpoints/%s/%d", s.Plan.Pipeline.Name, task))
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	for _, name := range names {
		if name.Fingerprint != s.Plan.Fingerprint {
			continue
		}
		m, err := state.LoadManifest(ctx, s.Bucket, name.Key)
		var corrupt *state.CorruptError
		if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) {
			continue // an older one will do for looking; the run itself reports it
		}
		if err != nil {
			return nil, fmt.Errorf("checkpoint %s: %w", name.Key, err)
		}
		if len(m.Cut.Sources) == 0 {
			continue
		}
		return m, nil
	}
	return nil, nil
}

func units(ctx context.Context, s Source) (*Reconcile, error) {
	r, err := reconcile.New(reconcile.Options{Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, Now: s.Now})
	if err != nil {
		return nil, err
	}
	o, err := r.Overview(ctx)
	if err != nil {
		return nil, fmt.Errorf("units to reconcile: %w", err)
	}
	counts := &Reconcile{Due: o.Due, Waiting: o.Waiting, Clean: o.Clean}
	for _, u := range o.Units {
		if u.State == reconcile.UnitWaiting && len(u.Waits) > 0 {
			counts.Example = fmt.Sprintf("%s %s: %s", u.Output, u.Partition, u.Waits[0])
			break
		}
	}
	return counts, nil
}

package status

import (
	"context"
	"encoding/json"
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
	"github.com/tidemark-io/tidemark/stream/window"
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
		APIVersion: apiVersion, Kind: kind, Pipeline: p.Name, Fingerprint: s.Plan.Fingerprint, Topic: s.Plan.Sources[0].Topic,
		At: s.Now().UTC(), Tasks: []Task{}, Outputs: []Output{},
	}
	for _, o := range p.Outputs {
		d.output(o.Name)
	}
	seen, err := look(ctx, admin, s)
	if err != nil {
		return nil, err
	}
	for i := range seen.inputs {
		if len(seen.inputs) > 1 {
			d.Topics = append(d.Topics, seen.inputs[i].topic)
		}
	}
	var total state.Counters
	uncounted := 0
	for task := range int32(len(seen.inputs[0].ends)) {
		t, counters, err := seen.task(ctx, s, task)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", task, err)
		}
		d.Tasks = append(d.Tasks, t)
		if t.Uncounted {
			uncounted++
			continue
		}
		d.add(&total, counters)
	}
	d.Accounting, d.TasksTotal = NewAccounting(total), len(d.Tasks)
	d.Accounting.Uncounted, d.Accounting.Balanced = uncounted, d.Accounting.Balanced && uncounted == 0
	d.blame()
	if d.Reconcile, err = units(ctx, s); err != nil && d.Stopped() {
		d.Reconcile, d.ReconcileFailing, err = nil, err.Error(), nil // what is wrong stopped the task, too
	}
	return d, err
}

// seen is what the brokers and the lake say of the topics that the pipeline reads.
type seen struct {
	inputs []seenInput
	owners map[int32]string
}

type seenInput struct {
	topic     string
	internal  bool // the repartition topic
	ends      map[int32]kafka.Ends
	committed map[int32]kafka.Commit
	lake      *lake.Topic // nil when nothing was landed
}

func look(ctx context.Context, admin *kafka.Admin, s Source) (*seen, error) {
	p := s.Plan.Pipeline
	n := &seen{}
	for i := range s.Plan.Sources {
		in, err := lookSource(ctx, admin, s, s.Plan.Sources[i].Topic)
		if err != nil {
			return nil, err
		}
		if first := n.inputs; len(first) > 0 && len(first[0].ends) != len(in.ends) {
			return nil, fmt.Errorf("topic %s has %d partitions and %s has %d: sources that meet need as many",
				first[0].topic, len(first[0].ends), in.topic, len(in.ends))
		}
		n.inputs = append(n.inputs, *in)
	}
	if s.Plan.Rekeyed {
		in := seenInput{topic: p.RepartitionTopic(), internal: true}
		if err := in.offsets(ctx, admin, s); err != nil && !errors.Is(err, kafka.ErrNoTopic) { // the first run makes it
			return nil, err
		}
		n.inputs = append(n.inputs, in)
	}
	var err error
	if n.owners, err = admin.GroupOwners(ctx, p.Group()); err != nil {
		return nil, fmt.Errorf("members of group %s: %w", p.Group(), err)
	}
	return n, nil
}

func lookSource(ctx context.Context, admin *kafka.Admin, s Source, topic string) (*seenInput, error) {
	in := &seenInput{topic: topic}
	err := in.offsets(ctx, admin, s)
	if errors.Is(err, kafka.ErrNoTopic) {
		return nil, fmt.Errorf("source topic %s does not exist at %v: produce to it first", topic, s.Kafka.Brokers)
	}
	if err != nil {
		return nil, err
	}
	in.lake, err = lake.LookTopic(ctx, s.Bucket, topic)
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("lake of %s: %w", topic, err)
	}
	return in, nil
}

func (n *seenInput) offsets(ctx context.Context, admin *kafka.Admin, s Source) (err error) {
	if n.ends, err = admin.Offsets(ctx, n.topic); err != nil {
		return fmt.Errorf("offsets of %s: %w", n.topic, err)
	}
	group := s.Plan.Pipeline.Group()
	if n.committed, err = admin.Committed(ctx, group, n.topic); err != nil {
		return fmt.Errorf("committed offsets of group %s: %w", group, err)
	}
	return nil
}

// of is one task's part of the topic. Of a task that has stopped, the lake may well be what is damaged.
func (n *seenInput) of(ctx context.Context, task int32, stopped bool) (Input, error) {
	ends := n.ends[task]
	in := Input{Partition: place(n.topic, task), Committed: ends.Start, LastStable: ends.LastStable, High: ends.High, Internal: n.internal,
		Landed: known(0), NotLanded: known(0)}
	if c, ok := n.committed[task]; ok {
		in.Committed, in.Gone = c.Next, max(0, ends.Start-c.Next)
	}
	in.Lag = max(0, in.LastStable-in.Committed)
	if n.lake != nil {
		log := n.lake.Log(task)
		err := log.Refresh(ctx)
		var damaged *lake.CorruptError
		if errors.As(err, &damaged) && stopped {
			in.Landed, in.NotLanded = nil, nil
			return in, nil
		}
		if err != nil {
			return in, fmt.Errorf("lake log of %s: %w", in.Partition, err)
		}
		in.Landed, in.NotLanded = known(log.End()), known(max(0, in.Committed-log.End()))
	}
	return in, nil
}

func (n *seen) task(ctx context.Context, s Source, id int32) (Task, *state.Counters, error) {
	t := Task{Task: id, State: Down, Owner: strings.TrimPrefix(n.owners[id], s.Plan.Pipeline.TransactionalID(""))}
	if t.Owner != "" {
		t.State = string(stream.Running)
	}
	if err := n.stop(ctx, s, id, &t); err != nil {
		return t, nil, err
	}
	m, err := newest(ctx, s, id, len(n.inputs))
	if err != nil {
		return t, nil, err
	}
	for i := range n.inputs {
		in, err := n.inputs[i].of(ctx, id, t.State == string(stream.Stopped))
		if err != nil {
			return t, nil, err
		}
		if m != nil {
			in.Watermark, in.Pending = moment(m.Cut.Sources[i].Reached), pendingOf(&m.Cut.Sources[i])
		}
		t.add(in)
	}
	if m == nil {
		_, t.Uncounted = n.inputs[0].committed[id]
		t.settle()
		return t, &state.Counters{}, nil
	}
	cut := &m.Cut
	t.Open, t.Life = openWindows(&cut.Counters), cut.Life
	t.Checkpoint = &Checkpoint{At: time.UnixMilli(m.CreatedAt).UTC(), Next: cut.Sources[0].Next}
	for i := range t.Inputs {
		t.Checkpoint.Gap += max(0, t.Inputs[i].Committed-cut.Sources[i].Next)
	}
	t.settle()
	if bound := moment(cut.Bound); t.Open > 0 && bound != nil && cut.Bound != state.NoBound {
		verb := "the last closes"
		if t.Open == 1 {
			verb = "it closes"
		}
		t.Waits = fmt.Sprintf("%s at its checkpoint: %s when event time reaches %s in %s",
			windows(t.Open), verb, bound.Format(minute), t.heldBy())
	}
	return t, &cut.Counters, nil
}

// stop says that a task has stopped, if it has left that in the bucket and stands there still.
func (n *seen) stop(ctx context.Context, s Source, id int32, t *Task) error {
	stop, err := stream.ReadStop(ctx, s.Bucket, s.Plan.Pipeline.Name, id)
	if err != nil || stop == nil {
		return err
	}
	next := make([]int64, len(n.inputs))
	for i := range n.inputs {
		next[i] = -1
		if c, ok := n.inputs[i].committed[id]; ok {
			next[i] = c.Next
		}
	}
	if stop.Holds(next) {
		t.State, t.Error = string(stream.Stopped), stop.Error
	}
	return nil
}

// pendingOf is how many far-future events waited at a cut. Of the repartition topic there are none.
func pendingOf(s *state.Source) int {
	var w window.Watermark
	if err := json.Unmarshal(s.Watermark, &w); err != nil {
		return 0 // another kind of watermark
	}
	return len(w.Pending)
}

// newest is the newest valid checkpoint of a task by the fingerprint in the file, over so many inputs; nil when there is none.
func newest(ctx context.Context, s Source, task int32, inputs int) (*state.Manifest, error) {
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
		if len(m.Cut.Sources) != inputs {
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

package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
)

// Settings of the topics that the stream makes. A curated topic is compacted, but not before its records have
// long been landed; the journal is kept for ever.
var (
	curatedConfig = map[string]string{"cleanup.policy": "compact", "min.compaction.lag.ms": "604800000"}
	journalConfig = map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
)

// setup checks the source, makes the topics that are missing, and declares all of them in the lake.
func (r *runner) setup(ctx context.Context) error {
	p := r.o.Plan.Pipeline
	var err error
	r.topic, err = r.admin.Topic(ctx, p.Source.Topic)
	if errors.Is(err, kafka.ErrNoTopic) {
		return fmt.Errorf("source topic %q does not exist at %v: produce to it first, or correct source.topic or kafka.brokers", p.Source.Topic, r.o.Kafka.Brokers)
	}
	if err != nil {
		return fmt.Errorf("source topic %q: %w", p.Source.Topic, err)
	}
	if r.source, err = landing.OpenSource(ctx, r.o.Bucket, r.o.Plan, r.topic.ID); err != nil {
		return err
	}
	r.wide = map[string]int32{}
	for i, out := range r.o.Plan.Outputs {
		n := p.Outputs[i].Topic.Partitions
		if n == 0 {
			n = r.topic.Partitions
		}
		spec := kafka.TopicSpec{Name: out.Name, Partitions: n, Replication: p.Outputs[i].Topic.Replication, Configs: curatedConfig}
		id, err := r.ensure(ctx, spec, "corrections must go to the partition that the stream used: topic.partitions cannot change")
		if err != nil {
			return err
		}
		lt, err := landing.OpenCurated(ctx, r.o.Bucket, r.o.Plan.Codecs[i], out.Name, id)
		if err != nil {
			return err
		}
		r.results = append(r.results, lt)
	}
	spec := kafka.TopicSpec{Name: p.JournalTopic(), Partitions: r.topic.Partitions, Replication: r.journalReplication(), Configs: journalConfig}
	id, err := r.ensure(ctx, spec, "the source topic has grown; growing a running pipeline is not built yet: give it a new name")
	if err != nil {
		return err
	}
	lt, err := landing.OpenJournal(ctx, r.o.Bucket, spec.Name, id)
	if err != nil {
		return err
	}
	r.results = append(r.results, lt)
	return r.fixTarget(ctx)
}

// ensure makes a topic if it is missing, and insists on its number of partitions if it isn't.
func (r *runner) ensure(ctx context.Context, spec kafka.TopicSpec, why string) (id string, err error) {
	info, err := r.admin.Topic(ctx, spec.Name)
	if errors.Is(err, kafka.ErrNoTopic) {
		if err := r.admin.EnsureTopic(ctx, spec); err != nil {
			return "", fmt.Errorf("make topic %s: %w", spec.Name, err)
		}
		info, err = r.admin.Topic(ctx, spec.Name)
	}
	if err != nil {
		return "", fmt.Errorf("topic %s: %w", spec.Name, err)
	}
	if info.Partitions != spec.Partitions {
		return "", fmt.Errorf("topic %s has %d partitions, expected %d: %s", spec.Name, info.Partitions, spec.Partitions, why)
	}
	r.wide[spec.Name] = info.Partitions
	return info.ID, nil
}

// journalReplication follows the most replicated output: the journal is worth as much.
func (r *runner) journalReplication() int16 {
	n := int16(0)
	for _, out := range r.o.Plan.Pipeline.Outputs {
		n = max(n, out.Topic.Replication)
	}
	return n
}

// fixTarget remembers, for a run to the end, which end that is.
func (r *runner) fixTarget(ctx context.Context) error {
	ends, err := r.admin.Offsets(ctx, r.topic.Name)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", r.topic.Name, err)
	}
	r.observed = ends
	r.target = make(map[int32]int64, len(ends))
	for p, e := range ends {
		r.target[p] = e.High
	}
	return nil
}

// curatedWide lists the partitions of each output's topic, in the order of the outputs.
func (r *runner) curatedWide() []int32 {
	wide := make([]int32, len(r.o.Plan.Outputs))
	for i, out := range r.o.Plan.Outputs {
		wide[i] = r.wide[out.Name]
	}
	return wide
}

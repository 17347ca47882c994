package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
)

// Settings of the topics that the stream makes. A curated topic is compacted, but not before its records have
// long been landed; the journal is kept for ever.
var (
	curatedConfig = map[string]string{"cleanup.policy": "compact", "min.compaction.lag.ms": "604800000"}
	journalConfig = map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
)

// source is one of the pipeline's inputs: a source topic, or the repartition topic, which is not landed.
type source struct {
	*kafka.TopicInfo
	lake *landing.Topic // nil: the repartition topic
	// retention is how long the topic keeps records, by age; 0: for ever, or not known.
	retention time.Duration
	target    map[int32]int64 // UntilEnd: where the input ends, by partition; nil while that isn't known
}

// setup checks the sources, makes the topics that are missing, and declares all of them in the lake.
func (r *runner) setup(ctx context.Context) error {
	for i := range r.o.Plan.Sources {
		if err := r.setupSource(ctx, i); err != nil {
			return err
		}
	}
	p := r.o.Plan.Pipeline
	r.wide = map[string]int32{}
	if err := r.setupRepartition(ctx); err != nil {
		return err
	}
	for i, out := range r.o.Plan.Outputs {
		n := p.Outputs[i].Topic.Partitions
		if n == 0 {
			n = r.width()
		}
		spec := kafka.TopicSpec{Name: out.Name, Partitions: n, Replication: p.Outputs[i].Topic.Replication, Configs: curatedConfig}
		id, err := r.ensure(ctx, spec, "corrections must go to the partition that the stream used, so topic.partitions of the output cannot change: say in the file how many it has")
		if err != nil {
			return err
		}
		lt, err := landing.OpenCurated(ctx, r.o.Bucket, r.o.Plan.Codecs[i], out.Name, id)
		if err != nil {
			return err
		}
		r.results = append(r.results, lt)
	}
	spec := kafka.TopicSpec{Name: p.JournalTopic(), Partitions: r.width(), Replication: r.journalReplication(), Configs: journalConfig}
	id, err := r.ensureAsWide(ctx, spec)
	if err != nil {
		return err
	}
	lt, err := landing.OpenJournal(ctx, r.o.Bucket, spec.Name, id)
	if err != nil {
		return err
	}
	r.results = append(r.results, lt)
	return r.fixTargets(ctx)
}

// width is the number of partitions of every input, and of tasks.
func (r *runner) width() int32 { return r.sources[0].Partitions }

// sourceTopic finds a source topic. All of them are co-partitioned: records that belong together must come to one task.
func (r *runner) sourceTopic(ctx context.Context, i int) (*kafka.TopicInfo, error) {
	name := r.o.Plan.Sources[i].Topic
	info, err := r.admin.Topic(ctx, name)
	if errors.Is(err, kafka.ErrNoTopic) {
		return nil, fmt.Errorf("source topic %q does not exist at %v: produce to it first, or correct source.topic or kafka.brokers", name, r.o.Kafka.Brokers)
	}
	if err != nil {
		return nil, fmt.Errorf("source topic %q: %w", name, err)
	}
	if i > 0 && info.Partitions != r.width() {
		return nil, fmt.Errorf("source topic %s has %d partitions, %s has %d: sources that meet in a window or a join must have equally many, so that equal keys come to one task",
			name, info.Partitions, r.sources[0].Name, r.width())
	}
	return info, nil
}

func (r *runner) setupSource(ctx context.Context, i int) error {
	info, err := r.sourceTopic(ctx, i)
	if err != nil {
		return err
	}
	lt, err := landing.OpenSource(ctx, r.o.Bucket, r.o.Plan, i, info.ID)
	var other *lake.DeclarationError
	if errors.As(err, &other) && other.Field == "topic_id" {
		return recreated(info.Name, info.ID, other.Have)
	}
	if err != nil {
		return err
	}
	r.sources = append(r.sources, &source{TopicInfo: info, lake: lt})
	return nil
}

// setupRepartition makes the repartition topic of a rekeyed pipeline. Its records are deleted once the oldest kept
// checkpoint has passed them (repartition.go), not by age: until then a replay needs them.
func (r *runner) setupRepartition(ctx context.Context) error {
	if !r.o.Plan.Rekeyed {
		return nil
	}
	spec := kafka.TopicSpec{Name: r.o.Plan.Pipeline.RepartitionTopic(), Partitions: r.width(), Replication: r.journalReplication(), Configs: journalConfig}
	if _, err := r.ensureAsWide(ctx, spec); err != nil {
		return err
	}
	info, err := r.admin.Topic(ctx, spec.Name)
	if err != nil {
		return fmt.Errorf("topic %s: %w", spec.Name, err)
	}
	r.sources = append(r.sources, &source{TopicInfo: info})
	return nil
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
		return "", &StopError{Where: "topics of the pipeline", What: fmt.Sprintf("%s has %d partitions, expected %d", spec.Name, info.Partitions, spec.Partitions), Fix: why}
	}
	r.wide[spec.Name] = info.Partitions
	return info.ID, nil
}

// ensureAsWide makes one of the pipeline's own topics, which have as many partitions as its sources. For a change decision one
// may have fewer: it grows once the decision is to be taken.
func (r *runner) ensureAsWide(ctx context.Context, spec kafka.TopicSpec) (id string, err error) {
	if r.changing {
		info, err := r.admin.Topic(ctx, spec.Name)
		if err == nil && info.Partitions < spec.Partitions {
			r.narrow = append(r.narrow, spec)
			spec.Partitions = info.Partitions
		} else if err != nil && !errors.Is(err, kafka.ErrNoTopic) {
			return "", fmt.Errorf("topic %s: %w", spec.Name, err)
		}
	}
	return r.ensure(ctx, spec, "the source topic has grown, and keys have moved between its partitions: "+r.fixChange("the topic has grown"))
}

// journalReplication follows the most replicated output: the journal is worth as much.
func (r *runner) journalReplication() int16 {
	n := int16(0)
	for _, out := range r.o.Plan.Pipeline.Outputs {
		n = max(n, out.Topic.Replication)
	}
	return n
}

// fixTargets remembers, for a run to the end, which end that is. That of the repartition topic is not known before the
// sources' is reached.
func (r *runner) fixTargets(ctx context.Context) error {
	r.observed = map[string]map[int32]kafka.Ends{}
	for _, src := range r.sources {
		ends, err := r.admin.Offsets(ctx, src.Name)
		if err != nil {
			return fmt.Errorf("offsets of %s: %w", src.Name, err)
		}
		r.observed[src.Name] = ends
		if src.lake != nil {
			src.target = highs(ends)
		}
	}
	return nil
}

func highs(ends map[int32]kafka.Ends) map[int32]int64 {
	out := make(map[int32]int64, len(ends))
	for p, e := range ends {
		out[p] = e.High
	}
	return out
}

// curatedWide lists the partitions of each output's topic, in the order of the outputs.
func (r *runner) curatedWide() []int32 {
	wide := make([]int32, len(r.o.Plan.Outputs))
	for i, out := range r.o.Plan.Outputs {
		wide[i] = r.wide[out.Name]
	}
	return wide
}

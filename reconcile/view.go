package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// view is what one pass knows before it recomputes anything: the lake logs, the newest checkpoints, the certificates, and how
// far the published topics reach.
type view struct {
	sources []*topicIndex
	infos   []*kafka.TopicInfo // of the sources
	tasks   []taskState
	outputs []*published
	journal *journalView
	certs   []map[int64]int64 // per output: hour -> highest number listed
	exact   bool              // units are looked at for what certificates of earlier releases don't state
	table   *table            // what enriches events, as of the last unit that was recomputed
}

// look reads a view. It only reads, and fences nobody. The order matters: the checkpoints that tell what is closed are
// read before the lake logs and the high watermarks, so whatever the stream published at closing, and all it had read, is below these.
func (r *Reconciler) look(ctx context.Context) (*view, error) {
	v := &view{}
	for i := range r.plan.Sources {
		name := r.plan.Sources[i].Topic
		info, err := r.admin.Topic(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("source topic %s: %w", name, err)
		}
		v.infos = append(v.infos, info)
	}
	var err error
	if v.tasks, err = loadTasks(ctx, r.bucket, r.plan, v.infos[0].Partitions); err != nil {
		return nil, err
	}
	for _, info := range v.infos {
		x := newTopicIndex(info.Name, info.Partitions)
		if err := x.refresh(ctx, r.bucket); err != nil {
			return nil, err
		}
		if err := sameTopic(x, info); err != nil {
			return nil, err
		}
		v.sources = append(v.sources, x)
	}
	for i := range r.plan.Outputs {
		p, err := r.lookPublished(ctx, i)
		if err != nil {
			return nil, err
		}
		v.outputs = append(v.outputs, p)
		numbers, err := r.certs.numbers(ctx, i)
		if err != nil {
			return nil, err
		}
		v.certs = append(v.certs, numbers)
	}
	v.journal, err = r.lookJournal(ctx)
	return v, err
}

// sameTopic refuses a topic that was deleted and made anew: its offsets mean other records than the lake's.
func sameTopic(x *topicIndex, info *kafka.TopicInfo) error {
	if x.topic == nil {
		return nil
	}
	if have := x.topic.Declaration().TopicID; have != "" && info.ID != "" && have != info.ID {
		return fmt.Errorf("topic %s is not the one that was landed: its id is %s, the lake's %s; it was deleted and created again", x.name, info.ID, have)
	}
	return nil
}

// lookPublished opens one output's curated topic. It may not exist yet, if the pipeline has never run.
func (r *Reconciler) lookPublished(ctx context.Context, output int) (*published, error) {
	want := r.plan.Pipeline.Outputs[output].Topic.Partitions
	name := r.plan.Outputs[output].Name
	p := &published{output: output, def: &r.plan.Outputs[output], codec: r.plan.Codecs[output], tail: make(map[int64][]tailRecord)}
	info, err := r.admin.Topic(ctx, name)
	if errors.Is(err, kafka.ErrNoTopic) {
		p.index = newTopicIndex(name, 0)
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("curated topic %s: %w", name, err)
	}
	if want > 0 && info.Partitions != want {
		return nil, fmt.Errorf("curated topic %s has %d partitions, the pipeline file says %d: their number must never change, because corrections go where the stream published",
			name, info.Partitions, want)
	}
	p.info = info
	p.index = newTopicIndex(name, info.Partitions)
	if err := p.index.refresh(ctx, r.bucket); err != nil {
		return nil, err
	}
	return p, sameTopic(p.index, info)
}

func (r *Reconciler) lookJournal(ctx context.Context) (*journalView, error) {
	name := r.plan.Pipeline.JournalTopic()
	j := &journalView{bucket: r.bucket, sources: make(map[string]bool)}
	for i := range r.plan.Sources {
		j.sources[r.plan.Sources[i].Topic] = true
	}
	info, err := r.admin.Topic(ctx, name)
	if errors.Is(err, kafka.ErrNoTopic) {
		j.index = newTopicIndex(name, 0)
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", name, err)
	}
	j.index = newTopicIndex(name, info.Partitions)
	return j, j.index.refresh(ctx, r.bucket)
}

// readTails brings the journal and the fold of every reconciled output, and of the one that is asked for (-1: none), up to their
// high watermarks by reading, landing nothing.
func (r *Reconciler) readTails(ctx context.Context, v *view, asked int) error {
	if j := v.journal; j.index.n > 0 {
		upTo, err := r.settledEnds(ctx, j.index.name, j.index.n, nil)
		if err != nil {
			return err
		}
		if err := j.readTail(ctx, r.opt.Kafka, upTo, r.opt.Limits.TailRecords); err != nil {
			return err
		}
	}
	for _, p := range v.outputs {
		if p.info == nil || r.plan.Unreconciled[p.output] != "" && p.output != asked {
			continue
		}
		var err error
		if p.upTo, err = r.settledEnds(ctx, p.index.name, p.info.Partitions, nil); err != nil {
			return err
		}
		if err := p.readTail(ctx, r.opt.Kafka, r.opt.Limits.TailRecords); err != nil {
			return err
		}
	}
	return nil
}

// settledEnds samples the high watermark of every partition and waits until the last stable offset has passed it, so that every
// transaction that had begun below it is decided. To stop at the last stable offset instead is wrong: a transaction of
// someone else, open since before a correction was committed, would hide that correction, and its revision would be published
// twice. sampled, if not nil, is called between sampling and waiting.
func (r *Reconciler) settledEnds(ctx context.Context, topic string, n int32, sampled func() error) ([]int64, error) {
	var target []int64
	var behind string
	bounded, cancel := context.WithTimeout(ctx, r.opt.Limits.StableWait)
	defer cancel()
	for {
		ends, err := r.admin.Offsets(bounded, topic)
		if err != nil {
			if ctx.Err() == nil && bounded.Err() != nil && behind != "" {
				break
			}
			return nil, fmt.Errorf("offsets of %s: %w", topic, err)
		}
		if target == nil {
			if target, err = highWatermarks(ends, topic, n); err != nil {
				return nil, err
			}
			if sampled != nil {
				if err := sampled(); err != nil {
					return nil, err
				}
			}
		}
		behind = ""
		for p, high := range target {
			if last := ends[int32(p)].LastStable; last < high {
				behind = fmt.Sprintf("%s/%d is stable up to %d, its high watermark was %d", topic, p, last, high)
				break
			}
		}
		if behind == "" {
			return target, nil
		}
		if pause(bounded, stablePoll) != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("an open transaction did not end within %s: %s: %w", r.opt.Limits.StableWait, behind, ErrTryAgain)
}

const stablePoll = 10 * time.Millisecond

func highWatermarks(ends map[int32]kafka.Ends, topic string, n int32) ([]int64, error) {
	target := make([]int64, n)
	for p := range target {
		e, ok := ends[int32(p)]
		if !ok {
			return nil, fmt.Errorf("offsets of %s: no answer for partition %d of %d", topic, p, n)
		}
		target[p] = e.High
	}
	return target, nil
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-t.Done()
	return ctx.Err()
}

// unitState is one unit as a view shows it.
type unitState struct {
	key    unitKey
	span   span
	files  []unitFile
	past   history
	digest string
	// landedAt is when the newest of its input was landed: ms, wall clock.
	landedAt int64
	last     *lastCertificate
	// touched is true when something may have been published of the unit that its last certificate does not speak of.
	touched bool
	waits   []string
}

// clean reports whether the last certificate covers what is there now.
func (r *Reconciler) clean(u *unitState) bool {
	return u.last.covers(r.plan.Fingerprint, u.digest) && !u.touched
}

// units lists all units of the view in order: where raw events or published rows are. An output that is not reconciled has
// none. What a join makes has the time of one of its events, so there is nothing where no event is; the versions that
// enrich events make nothing themselves.
func (r *Reconciler) units(v *view) []unitKey {
	found := make(map[unitKey]bool)
	for i := range r.plan.Outputs {
		if r.plan.Unreconciled[i] != "" {
			continue
		}
		out := &r.plan.Outputs[i]
		for s, src := range v.sources {
			if r.plan.Shape == pipeline.Enrich && s == r.plan.Join.Right {
				continue
			}
			for _, files := range src.hours {
				low, high := within(files, math.MaxInt64, math.MinInt64)
				unitsTouched(out, low, high, func(h int64) { found[unitKey{i, h}] = true })
			}
		}
		v.outputs[i].units(func(h int64) { found[unitKey{i, h}] = true })
		for h := range v.certs[i] {
			found[unitKey{i, h}] = true
		}
	}
	keys := make([]unitKey, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].less(keys[j]) })
	return keys
}

// unit looks at one unit: its input, its last certificate, and, if it is dirty, what it waits for.
func (r *Reconciler) unit(ctx context.Context, v *view, k unitKey, all bool) (*unitState, error) {
	out := &r.plan.Outputs[k.output]
	u := &unitState{key: k, span: spanOf(out, k.hour)}
	var newest int64
	u.files, newest = r.filesOf(v, u.span)
	u.past = r.historyOf(v, u.span)
	u.digest, u.landedAt = inputOf(u.files, u.past), max(newest, u.past.landedAt)
	if n := v.certs[k.output][k.hour]; n > 0 {
		var err error
		if u.last, err = r.certs.load(ctx, k, n); err != nil {
			return nil, err
		}
	}
	var err error
	if u.touched, err = r.touchedSince(ctx, v, k, u.span, u.last); err != nil {
		return nil, err
	}
	if v.exact {
		if err := r.check(ctx, v, u); err != nil {
			return nil, err
		}
	}
	if !r.clean(u) {
		u.waits = r.waitsOf(v, u, all)
	}
	return u, nil
}

// waitsOf says why a unit can't be reconciled yet.
func (r *Reconciler) waitsOf(v *view, u *unitState, all bool) []string {
	waits := waitsFor(v.tasks, r.plan, v.sources, u.span.closes(&r.plan.Outputs[u.key.output], u.files))
	settled := u.landedAt + r.plan.Pipeline.Reconcile.Settle.Milliseconds()
	if now := r.opt.Now().UnixMilli(); !all && u.landedAt > 0 && now < settled {
		waits = append(waits, "its input was last landed at "+timeText(u.landedAt)+" and settles until "+timeText(settled))
	}
	return waits
}

// filesOf are the raw files that a unit reads, but for its history, source by source, and when the newest was landed.
func (r *Reconciler) filesOf(v *view, s span) (files []unitFile, landedAt int64) {
	if s.empty {
		return nil, 0
	}
	for i, src := range v.sources {
		from, to := flow.Reads(r.plan, i, s.hour, s.end)
		if i == r.table() {
			from = s.hour
		}
		for _, f := range src.files(from, to) {
			files = append(files, unitFile{File: f.File, source: i})
			landedAt = max(landedAt, f.landedAt)
		}
	}
	return files, landedAt
}

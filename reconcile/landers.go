package reconcile

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/landing"
)

// landers land the curated topics for as long as an application works. They are opened with the first use.
type landers struct {
	r    *Reconciler
	view *view
	open map[int]*landing.Topic
	each map[int][]*lake.Lander // per output, by partition
}

func newLanders(r *Reconciler, v *view) *landers {
	return &landers{r: r, view: v, open: make(map[int]*landing.Topic), each: make(map[int][]*lake.Lander)}
}

// land brings the landed curated log of an output up to the high watermark, every transaction below it decided, and the
// view's index with it: from here the fold needs no tail.
func (l *landers) land(ctx context.Context, output int) error {
	p := l.view.outputs[output]
	if p.info == nil {
		return fmt.Errorf("curated topic %s does not exist, although checkpoints say that windows have closed: it was deleted", p.index.name)
	}
	upTo, err := l.r.settledEnds(ctx, p.index.name, p.info.Partitions, func() error { return l.r.opt.Hooks.Step(StepSampled) })
	if err != nil {
		return err
	}
	if err := l.prepare(ctx, output, p); err != nil {
		return err
	}
	for part, to := range upTo {
		if err := l.upTo(ctx, output, int32(part), to); err != nil {
			return err
		}
	}
	if err := p.index.refresh(ctx, l.r.bucket); err != nil {
		return err
	}
	for part, to := range upTo {
		if end := p.index.ends[part]; end < to {
			return fmt.Errorf("land %s/%d up to %d: its lake log ends at %d", p.index.name, part, to, end)
		}
	}
	p.upTo = upTo
	return nil
}

// upTo lands one partition. A writer that loses a range to another one continues at that one's end, which may be short of to:
// every further attempt means that someone else made progress.
func (l *landers) upTo(ctx context.Context, output int, part int32, to int64) error {
	lander := l.each[output][part]
	for attempt := 0; attempt < landAttempts; attempt++ {
		if err := l.open[output].UpTo(ctx, l.r.opt.Kafka, lander, part, to); err != nil {
			return err
		}
		if lander.Landed() >= to {
			return nil
		}
	}
	return fmt.Errorf("land %s/%d up to %d: others were ahead %d times, the lake log ends at %d: %w",
		l.view.outputs[output].index.name, part, to, landAttempts, lander.Landed(), ErrTryAgain)
}

const landAttempts = 100

// prepare opens the output's landers. A log that has not begun yet begins where Kafka still has records.
func (l *landers) prepare(ctx context.Context, output int, p *published) error {
	if l.open[output] != nil {
		return nil
	}
	t, err := landing.OpenCurated(ctx, l.r.bucket, p.codec, p.index.name, p.info.ID)
	if err != nil {
		return err
	}
	ends, err := l.r.admin.Offsets(ctx, p.index.name)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", p.index.name, err)
	}
	roll := l.r.plan.Pipeline.Lake.Roll
	for part := int32(0); part < p.info.Partitions; part++ {
		lander, err := t.Lake.Lander(ctx, part, lake.LanderOptions{
			Every: roll.Every, BytesMax: roll.BytesMax, Budget: lake.NewBudget(landBudgetBytes + roll.BytesMax), Now: l.r.opt.Now,
			FirstOffset: ends[part].Start,
		})
		if err != nil {
			return fmt.Errorf("lander of %s/%d: %w", p.index.name, part, err)
		}
		l.each[output] = append(l.each[output], lander)
	}
	l.open[output] = t
	return nil
}

// landBudgetBytes bounds, on top of what lake.roll lets wait, what a lander holds of one curated partition.
const landBudgetBytes = 64 << 20

func (l *landers) close() {
	for _, each := range l.each {
		for _, x := range each {
			x.Close()
		}
	}
}

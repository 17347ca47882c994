package stream

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// refill gives a task that begins anew the table of its enrichment: events to come are enriched by versions of before. It is
// a function of where the task begins, so that a replay from there finds the same (law L4). Nothing of it is written before
// all of it has been read.
func (r *runner) refill(ctx context.Context, t *task) error {
	if t.life == 0 || t.plan.Shape != pipeline.Enrich {
		return nil
	}
	in := *t.inputs[t.plan.Join.Right]
	to := in.next
	in.next = in.bornAt
	for rec, err := range r.records(ctx, t, &in, to) {
		if err == nil && !rec.Attrs.IsControl() {
			err = t.flow.Remember(flow.Place{Partition: rec.Partition, Offset: rec.Offset}, rec.Value)
		}
		if err != nil {
			return fmt.Errorf("task %d: read the table %s/%d again: %w", t.id, in.topic, t.id, err)
		}
	}
	return nil
}

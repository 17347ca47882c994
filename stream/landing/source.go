package landing

import (
	"context"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// OpenSource opens, or declares for the first time, the raw lake of one of a pipeline's source topics.
// topicID is the broker's id of the topic.
func OpenSource(ctx context.Context, b blob.Bucket, plan *pipeline.Plan, source int, topicID string) (*Topic, error) {
	src := &plan.Sources[source]
	ids := src.Wire.IDs
	if !src.Wire.Confluent || len(ids) == 0 {
		ids = []uint32{0}
	}
	d := lake.Declaration{
		Topic: src.Topic, TopicID: topicID, Format: src.Spec.Format,
		EventTime: src.EventDef.Time, EventID: src.EventDef.ID,
	}
	for _, id := range ids {
		d.Schemas = append(d.Schemas, lake.SchemaDecl{ID: id, JSON: string(src.Source.Stored())})
	}
	return open(ctx, b, d, src.Reader)
}

package lake

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Topic is one topic's part of the lake. It is safe for concurrent use.
type Topic struct {
	bucket   blob.Bucket
	declared Declaration       // schemas sorted by id, with their stored text
	envelope map[uint32]string // the files' schema by writer schema

	mu   sync.Mutex
	logs map[int32]*Log
	ends map[int32]int64 // of the logs that were walked, by partition
}

// OpenTopic declares a topic, or checks that it is declared as d says: a
// difference is a *DeclarationError. New schema ids are added. Safe for any
// number of processes at once; the first one's declaration stays.
func OpenTopic(ctx context.Context, b blob.Bucket, d Declaration) (*Topic, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	have, err := declare(ctx, b, &d)
	if err != nil {
		return nil, err
	}
	for _, s := range d.Schemas {
		if _, err := declareSchema(ctx, b, d.Topic, s); err != nil {
			return nil, err
		}
	}
	return newTopic(ctx, b, have)
}

// LookTopic opens a declared topic and writes nothing. A topic that was never
// declared is blob.ErrNotFound.
func LookTopic(ctx context.Context, b blob.Bucket, topic string) (*Topic, error) {
	if topic == "" {
		return nil, errors.New("open a topic of the lake: the topic has no name")
	}
	have, err := readDeclaration(ctx, b, topic)
	if err != nil {
		return nil, fmt.Errorf("open topic %s of the lake: %w", topic, err)
	}
	return newTopic(ctx, b, have)
}

// schemaName finds the id in a schema's key, below the topic's prefix.
var schemaName = regexp.MustCompile(`^_schema/([0-9]{10})\.json$`)

// newTopic loads all schemas of the topic, those that others declared as well.
func newTopic(ctx context.Context, b blob.Bucket, have declaration) (*Topic, error) {
	t := &Topic{
		bucket: b,
		declared: Declaration{
			Topic: have.Topic, TopicID: have.TopicID, EventTime: have.EventTime,
			EventID: have.EventID, Format: have.Format,
		},
		envelope: map[uint32]string{},
		logs:     map[int32]*Log{},
		ends:     map[int32]int64{},
	}
	ids, err := listIDs(ctx, b, have.Topic)
	if err != nil {
		return nil, fmt.Errorf("open topic %s of the lake: %w", have.Topic, err)
	}
	for _, id := range ids {
		text, err := readSchema(ctx, b, have.Topic, id)
		if err != nil {
			return nil, fmt.Errorf("open topic %s of the lake: schema %d: %w", have.Topic, id, err)
		}
		envelope, err := rawSchema(text)
		if err != nil {
			return nil, fmt.Errorf("open topic %s of the lake: schema %d: %w", have.Topic, id, err)
		}
		t.declared.Schemas = append(t.declared.Schemas, SchemaDecl{ID: id, JSON: text})
		t.envelope[id] = envelope
	}
	return t, nil
}

// listIDs lists the declared schema ids in order.
func listIDs(ctx context.Context, b blob.Bucket, topic string) ([]uint32, error) {
	var ids []uint32
	err := b.List(ctx, topicPrefix(topic)+schemaDir, func(o blob.Object) error {
		groups := schemaName.FindStringSubmatch(strings.TrimPrefix(o.Key, topicPrefix(topic)))
		if groups == nil {
			return nil // Check reports it
		}
		var id uint32
		if _, err := fmt.Sscanf(groups[1], "%d", &id); err != nil {
			return &CorruptError{Path: o.Key, What: "its name is no schema id"}
		}
		ids = append(ids, id)
		return nil
	})
	return ids, err
}

// Declaration returns what the topic is declared as, with all its schemas
// sorted by id. The caller must not change it.
func (t *Topic) Declaration() Declaration { return t.declared }

// Partitions lists the partitions whose log has begun, in order.
func (t *Topic) Partitions(ctx context.Context) ([]int32, error) {
	var found []int32
	err := t.bucket.List(ctx, topicPrefix(t.declared.Topic)+startDir, func(o blob.Object) error {
		if p, ok := parseName(t.declared.Topic, o.Key, startName, 1); ok {
			found = append(found, p.partition)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the partitions of topic %s in the lake: %w", t.declared.Topic, err)
	}
	slices.Sort(found)
	return found, nil
}

// Log returns the log of a partition, which is read by its Refresh. All calls
// for a partition return the same one, so its entries are fetched once.
func (t *Topic) Log(partition int32) *Log {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.logs[partition]
	if l == nil {
		l = &Log{bucket: t.bucket, topic: t.declared.Topic, partition: partition}
		t.logs[partition] = l
	}
	return l
}

package kafka_test

import (
	"context"
	"testing"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

func record(topic, value string) *kafka.Record {
	return &kafka.Record{Topic: topic, Value: []byte(value)}
}

func cutAt(next int64, metadata string) []kafka.Commit {
	return []kafka.Commit{{Partition: 0, Next: next, LeaderEpoch: -1, Metadata: metadata}}
}

// committed checks what the broker has committed for the worker's group.
func (c *cluster) committed(t *testing.T, w *worker, partition int32, next int64, metadata string) {
	t.Helper()
	committed, err := c.admin.Committed(context.Background(), w.o.Group, w.o.Topics[0])
	must(t, err)
	at, ok := committed[partition]
	if !ok || at.Next != next || at.Metadata != metadata {
		t.Errorf("committed for partition %d: %+v (%v), want %d with %q", partition, at, ok, next, metadata)
	}
}

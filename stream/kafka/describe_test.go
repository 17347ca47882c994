package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A leader that is being elected while a topic is described is waited for: it is no reason for a process not to start.
func TestTopicWaitsForALeader(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	admin, err := kafka.NewAdmin(kafka.Options{Brokers: c.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "orders", Err: kerr.LeaderNotAvailable, Count: 2})
	info, err := admin.Topic(t.Context(), "orders")
	if err != nil || info.Partitions != 2 || h.Hits() == 0 {
		t.Fatalf("%+v, %v, after %d refusals", info, err, h.Hits())
	}
}

package kafka_test

import (
	"errors"
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

// A topic whose making timed out is asked for again; that it is there by then is no fault. A refusal is told at once.
func TestCreateTopicIsAskedForAgain(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	admin, err := kafka.NewAdmin(kafka.Options{Brokers: c.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for _, answer := range []*kerr.Error{kerr.RequestTimedOut, kerr.ThrottlingQuotaExceeded} {
		h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: answer, Count: 1})
		if err := admin.EnsureTopic(t.Context(), kafka.TopicSpec{Name: answer.Message, Partitions: 3}); err != nil || h.Hits() == 0 {
			t.Errorf("%s: %v, after %d", answer.Message, err, h.Hits())
		}
	}
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	if err := admin.EnsureTopic(t.Context(), kafka.TopicSpec{Name: "denied", Partitions: 3}); !errors.Is(err, kerr.ClusterAuthorizationFailed) || h.Hits() != 1 {
		t.Errorf("%v, after %d", err, h.Hits())
	}
}

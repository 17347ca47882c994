package stream

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// A record that isn't where its key puts it is the key's fault only while its topic has as many partitions as it had.
func TestTheKeyIsBlamedLast(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	admin, err := kafka.NewAdmin(kafka.Options{Brokers: c.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.EnsureTopic(t.Context(), kafka.TopicSpec{Name: "orders", Partitions: 2, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	info, err := admin.Topic(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{admin: admin, sources: []*source{{TopicInfo: info}}}
	one := &task{id: 1, plan: &pipeline.Plan{Sources: []pipeline.SourcePlan{{Spec: &pipeline.Source{Key: []string{"customer"}}}}}}
	misplaced := one.refused(newInput(0, info), &kafka.Record{Topic: "orders", Partition: 1, Offset: 7}, &flow.KeyError{Want: 0, Have: 1})
	replayed := fmt.Errorf("replay task 1: %w", misplaced)
	for _, err := range []error{misplaced, replayed} {
		if got := r.blamed(t.Context(), err); got != err || !strings.Contains(got.Error(), "orders/1@7: by source.key [customer]") {
			t.Errorf("in a topic as it was: %v", got)
		}
	}
	if err := admin.GrowTopic(t.Context(), "orders", 5); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{misplaced, replayed} {
		var stop *StopError
		if got := r.blamed(t.Context(), err); !errors.As(got, &stop) || !strings.Contains(got.Error(), "the topic has 5 partitions, it had 2") ||
			!strings.Contains(got.Error(), "tidemark change") || strings.Contains(got.Error(), "source.key") {
			t.Errorf("in a topic that has grown: %v", got)
		}
	}
	if other := errors.New("something else"); r.blamed(t.Context(), other) != other {
		t.Error("what has nothing to do with keys is changed")
	}
}

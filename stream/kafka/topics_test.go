package kafka_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// pairing is a member that reads two co-partitioned topics.
type pairing struct {
	*kafka.Session
	mu    sync.Mutex
	start map[string]int64 // of every partition
	got   [][]int32        // assignments
}

func (c *cluster) pairing(t *testing.T, group, id string, topics []string, start map[string]int64) *pairing {
	t.Helper()
	p := &pairing{start: start}
	s, err := kafka.NewSession(context.Background(), kafka.SessionOptions{
		Options: c.o, Group: group, InstanceID: id, TransactionalID: group + "-" + id, Topics: topics,
		OnAssigned: func(_ context.Context, partitions []int32) (kafka.Starts, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.got = append(p.got, partitions)
			starts := kafka.Starts{}
			for _, topic := range topics {
				starts[topic] = map[int32]int64{}
				for _, q := range partitions {
					starts[topic][q] = p.start[topic]
				}
			}
			return starts, nil
		},
	})
	must(t, err)
	t.Cleanup(s.Close)
	p.Session = s
	return p
}

// read polls until it has n data records of topic/partition, and counts what else came.
func (p *pairing) read(t *testing.T, topic string, n int) (values []string, others int) {
	t.Helper()
	for len(values) < n {
		batches, err := p.Poll(t.Context(), 1)
		must(t, err)
		for _, b := range batches {
			for _, r := range b.Records {
				switch {
				case r.Attrs.IsControl():
				case b.Topic == topic:
					values = append(values, string(r.Value))
				default:
					others++
				}
			}
		}
	}
	return values, others
}

// A commit of several topics keeps the offset and the metadata of each under its own name, all or none; a paused topic rests
// while the others of the partition go on; every topic begins where the caller says.
func TestSeveralTopics(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		a, b := c.topic(t, "a", 1), c.topic(t, "b", 1)
		group := c.name(t, "group")
		c.fill(t, a, 0, 0, 4)
		c.fill(t, b, 0, 0, 4)
		p := c.pairing(t, group, "one", []string{a, b}, map[string]int64{a: 1, b: 3})
		if values, _ := p.read(t, b, 1); values[0] != "3" {
			t.Errorf("%s begins with %s, not at the start that was given", b, values[0])
		}
		p.PauseOne(b, 0)
		c.fill(t, b, 0, 4, 6)
		c.fill(t, a, 0, 4, 9)
		if values, others := p.read(t, a, 5); others != 0 {
			t.Errorf("%d records of a paused topic beside %v", others, values)
		}
		must(t, p.Commit(t.Context(), []kafka.Commit{
			{Topic: b, Partition: 0, Next: 4, LeaderEpoch: -1, Metadata: "of b"}, {Topic: a, Partition: 0, Next: 2, LeaderEpoch: -1, Metadata: "of a"},
		}))
		for topic, want := range map[string]kafka.Commit{a: {Next: 2, Metadata: "of a"}, b: {Next: 4, Metadata: "of b"}} {
			all, err := c.admin.Committed(t.Context(), group, topic)
			must(t, err)
			if got := all[0]; got.Next != want.Next || got.Metadata != want.Metadata {
				t.Errorf("%s has %+v, want %+v", topic, got, want)
			}
		}
		if err := p.Commit(t.Context(), []kafka.Commit{{Topic: a, Next: 3}, {Topic: c.name(t, "other"), Next: 1}}); err == nil {
			t.Error("an offset of a topic that isn't read was committed")
		}
		all, err := c.admin.Committed(t.Context(), group, a)
		must(t, err)
		if all[0].Next != 2 {
			t.Errorf("%s is at %d after a commit that was refused", a, all[0].Next)
		}
	})
}

// Partitions of one number come to one member, of every topic, when members come and go: OnAssigned is given numbers, and a
// session whose topics don't agree would be over.
func TestSeveralTopicsComeTogether(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		topics := []string{c.topic(t, "z", 5), c.topic(t, "a", 5), c.topic(t, "m", 5)}
		group := c.name(t, "group")
		start := map[string]int64{}
		first := c.pairing(t, group, "one", topics, start)
		<-first.Rebalanced()
		if got := first.Assigned(); !slices.Equal(got, []int32{0, 1, 2, 3, 4}) {
			t.Errorf("alone: %v", got)
		}
		second := c.pairing(t, group, "two", topics, start)
		for len(first.Assigned()) > 0 { // it is over by the rebalance
			<-first.Rebalanced()
		}
		first.Close()
		first = c.pairing(t, group, "one", topics, start)
		<-first.Rebalanced()
		for len(second.Assigned()) == 0 {
			<-second.Rebalanced()
		}
		both := slices.Concat(first.Assigned(), second.Assigned())
		slices.Sort(both)
		if !slices.Equal(both, []int32{0, 1, 2, 3, 4}) {
			t.Errorf("%v and %v are not all partitions once", first.Assigned(), second.Assigned())
		}
	})
}

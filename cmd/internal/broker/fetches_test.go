package broker

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A read-committed reader never sees aborted records, however much it fetches at once: neither the range reader, whose
// limit the log exceeds, nor a session over several partitions, which reach the limit together.
func TestAbortedRecordsStayHidden(t *testing.T) {
	b := open(t, t.TempDir())
	c := dial(t, b.Addr())
	ctx := context.Background()
	must(t, c.admin.EnsureTopic(ctx, kafka.TopicSpec{Name: "in", Partitions: 8}))
	p, err := kafka.NewTxnProducer(ctx, c.o, "writer")
	must(t, err)
	defer p.Close()
	noise := rand.NewChaCha8([32]byte{1}) // that no compression makes smaller
	value := func(first byte) []byte {
		v := make([]byte, 100_000)
		noise.Read(v)
		v[0] = first
		return v
	}
	const rounds, each = 6, 9
	for round := range rounds {
		for partition := range int32(8) {
			for range each {
				p.Produce(ctx, &kafka.Record{Topic: "in", Partition: partition, Value: value(byte(round % 2))})
			}
		}
		if round%2 == 1 {
			must(t, p.Abort(ctx))
			continue
		}
		must(t, p.Commit(ctx))
	}
	ends, err := c.admin.Offsets(ctx, "in")
	must(t, err)
	for partition := range int32(8) {
		seen := 0
		must(t, kafka.ReadRange(ctx, c.o, "in", partition, 0, ends[partition].High, func(r *kafka.Record) error {
			if !r.Attrs.IsControl() {
				if seen++; r.Value[0] != 0 {
					t.Errorf("partition %d: the aborted record at %d was read", partition, r.Offset)
				}
			}
			return nil
		}))
		if want := rounds / 2 * each; seen != want {
			t.Errorf("partition %d: %d records, %d were committed", partition, seen, want)
		}
	}
	s, err := kafka.NewSession(ctx, kafka.SessionOptions{
		Options: c.o, Group: "g", InstanceID: "a", TransactionalID: "g-a", Topics: []string{"in"},
		OnAssigned: func(_ context.Context, partitions []int32) (kafka.Starts, error) {
			starts := map[int32]int64{}
			for _, p := range partitions {
				starts[p] = 0
			}
			return kafka.Starts{"in": starts}, nil
		},
	})
	must(t, err)
	defer s.Close()
	for seen := 0; seen < 8*rounds/2*each; {
		batches, err := s.Poll(ctx, 1000)
		must(t, err)
		for _, batch := range batches {
			for _, r := range batch.Records {
				if r.Attrs.IsControl() {
					continue
				}
				if seen++; r.Value[0] != 0 {
					t.Fatalf("partition %d: the aborted record at %d was polled", r.Partition, r.Offset)
				}
			}
		}
	}
}

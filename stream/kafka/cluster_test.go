package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realkafka.Tests(m)) }

// cluster is a broker under test, with names that no other test uses.
type cluster struct {
	o     kafka.Options
	admin *kafka.Admin
	fake  *kfake.Cluster    // nil on Kafka
	real  *realkafka.Broker // nil on kfake
	nonce string
}

// onEach runs the test on the fake broker and on Kafka: what is claimed of Kafka is proven on Kafka.
func onEach(t *testing.T, test func(*testing.T, *cluster)) {
	t.Run("kfake", func(t *testing.T) { test(t, onFake(t)) })
	t.Run("kafka", func(t *testing.T) { test(t, onKafka(t)) })
}

func onFake(t *testing.T, opts ...kfake.Opt) *cluster {
	t.Helper()
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c := at(t, kafka.Options{Brokers: fake.ListenAddrs()})
	c.fake = fake
	return c
}

func onKafka(t *testing.T) *cluster {
	t.Helper()
	real := realkafka.Shared(t)
	c := at(t, kafka.Options{Brokers: []string{real.Addr()}})
	c.real = real
	return c
}

func at(t *testing.T, o kafka.Options) *cluster {
	t.Helper()
	admin, err := kafka.NewAdmin(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	return &cluster{o: o, admin: admin, nonce: fmt.Sprintf("%08x", rand.Uint32())}
}

// name makes a topic, group or id the test run's own: the shared broker outlives a test that is run again.
func (c *cluster) name(t *testing.T, what string) string {
	return strings.NewReplacer("/", ".", "#", ".", ",", "").Replace(t.Name()) + "." + c.nonce + "." + what
}

func (c *cluster) topic(t *testing.T, what string, partitions int32, configs ...string) string {
	t.Helper()
	spec := kafka.TopicSpec{Name: c.name(t, what), Partitions: partitions, Configs: make(map[string]string)}
	for i := 0; i < len(configs); i += 2 {
		spec.Configs[configs[i]] = configs[i+1]
	}
	must(t, c.admin.EnsureTopic(context.Background(), spec))
	return spec.Name
}

// fill writes values "0" to "n-1" to the partition.
func (c *cluster) fill(t *testing.T, topic string, partition int32, from, to int) {
	t.Helper()
	p, err := kafka.NewProducer(c.o)
	must(t, err)
	defer p.Close()
	for i := from; i < to; i++ {
		must(t, p.Produce(context.Background(), &kafka.Record{Topic: topic, Partition: partition, Value: fmt.Append(nil, i)}))
	}
	must(t, p.Flush(context.Background()))
}

// values are what a read-committed reader sees of the partition, control records left out. Kafka confirms a commit
// before its markers are written, so this reads to the high watermark, and thereby waits for them.
func (c *cluster) values(t *testing.T, topic string, partition int32) []string {
	t.Helper()
	ends, err := c.admin.Offsets(context.Background(), topic)
	must(t, err)
	var values []string
	must(t, kafka.ReadRange(context.Background(), c.o, topic, partition, ends[partition].Start, ends[partition].High, func(r *kafka.Record) error {
		if !r.Attrs.IsControl() {
			values = append(values, string(r.Value))
		}
		return nil
	}))
	return values
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

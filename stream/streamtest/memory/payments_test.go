package memory_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

const (
	partitions = 8
	hour       = 3_600_000
)

const schema = `{"type":"record","name":"Payment","fields":[
 {"name":"event_id","type":"string"},{"name":"user","type":"string"},{"name":"category","type":"string"},
 {"name":"amount","type":"double"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"note","type":"string"}]}`

// file takes the broker's address and the budget.
const file = `apiVersion: tidemark/v1
pipeline: payments
kafka: {brokers: [%q]}
source:
  topic: payments
  format: avro-raw
  schema: {file: payment.avsc}
  event_id: [event_id]
  event_time: ts
  key: [user]
  watermark: {max_out_of_orderness: 30s}
outputs:
  - name: payments-1h
    group_by: [user]
    window: {tumbling: 1h}
    allowed_lateness: 1m
    aggregate: {n: count(), total: sum(amount), least: min(amount), most: max(amount)}
lake: {bucket: "file://./lake", roll: {every: 30s, bytes_max: 64MiB}}
state: {dir: state, memory_max: %s}
commit: {every: 1s}
`

// lay writes the pipeline into a directory, and returns its file.
func lay(t *testing.T, broker, budget string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"payment.avsc": schema, "payments.yaml": fmt.Sprintf(file, broker, budget)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "payments.yaml")
}

// fill produces n events of about 172 bytes, each of a key of its own, in an hour of event time.
func fill(t *testing.T, o kafka.Options, n int) {
	t.Helper()
	admin, err := kafka.NewAdmin(o)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.EnsureTopic(t.Context(), kafka.TopicSpec{Name: "payments", Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	p, err := kafka.NewProducer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := range n {
		key, value := event(i, n)
		err := p.Produce(t.Context(), &kafka.Record{Topic: "payments", Partition: curated.Partition(key, partitions), Key: key, Value: value})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func event(i, of int) (key, value []byte) {
	const note = "a note of eighty letters, as people write them who pay by card and not in coins."
	key = fmt.Appendf(nil, "user-%010d", uint64(i)*2654435761%10_000_000_019) // not in the order of arrival
	value = text(make([]byte, 0, 192), fmt.Appendf(nil, "%08x-0000-4000-8000-%012x", i, uint32(i)*2654435761))
	value = text(value, key)
	value = text(value, []byte("category-of-20-chars"))
	value = binary.LittleEndian.AppendUint64(value, math.Float64bits(float64(i%100_000)/100))
	value = binary.AppendVarint(value, 1_700_000_000_000+int64(i)*hour/int64(of))
	return key, text(value, []byte(note))
}

func text(b, s []byte) []byte { return append(binary.AppendVarint(b, int64(len(s))), s...) }

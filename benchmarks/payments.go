package benchmarks

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// Events of about 170 bytes: 100,000 users, skewed; one event a millisecond of event time, up to 30 seconds of disorder,
// half a percent ten minutes late, and one percent sent twice when copies is set.

const paymentSchema = `{"type":"record","name":"Payment","fields":[
 {"name":"event_id","type":"string"},{"name":"user","type":"string"},{"name":"category","type":"string"},
 {"name":"amount","type":"double"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"note","type":"string"}]}`

// paymentPipeline takes the broker's address, an event_id line (or none) and nothing else.
const paymentPipeline = `apiVersion: tidemark/v1
pipeline: payments
kafka: {brokers: [%q]}
source:
  topic: payments
  format: avro-raw
  schema: {file: payment.avsc}
%s  event_time: ts
  key: [user]
  watermark: {max_out_of_orderness: 30s}
outputs:
  - name: payments-1m
    group_by: [user]
    window: {tumbling: 1m}
    allowed_lateness: 1m
    aggregate: {n: count(), total: sum(amount), least: min(amount), most: max(amount)}
lake: {bucket: "file://./lake", roll: {every: 30s, bytes_max: 64MiB}}
reconcile: {settle: 0s, guard: {max_changed_windows: 100%%, else: publish}}
state: {dir: state, memory_max: 256MiB}
commit: {every: 1s}
`

type payments struct {
	r    *rand.Rand
	zipf *rand.Zipf
	note []byte
	ts   int64
	n    int
}

func newPayments(seed uint64) *payments {
	r := rand.New(rand.NewPCG(seed, 6))
	note := make([]byte, 80)
	for i := range note {
		note[i] = byte('a' + i%26)
	}
	return &payments{r: r, zipf: rand.NewZipf(r, 1.1, 1, 99_999), note: note, ts: 1_700_000_000_000}
}

// next returns the key and value of the next event.
func (p *payments) next() (key, value []byte) {
	p.n++
	p.ts++
	at := p.ts - int64(p.r.IntN(30_000))
	if p.r.IntN(200) == 0 {
		at -= 600_000
	}
	key = fmt.Appendf(nil, "user-%06d", p.zipf.Uint64())
	value = text(make([]byte, 0, 192), fmt.Appendf(nil, "%08x-0000-4000-8000-%012x", p.n, p.n))
	value = text(value, key)
	value = text(value, []byte("category-of-20-chars"))
	value = binary.LittleEndian.AppendUint64(value, math.Float64bits(math.Round(p.r.Float64()*1e6)/100))
	value = binary.AppendVarint(value, at)
	return key, text(value, p.note)
}

func text(b, s []byte) []byte { return append(binary.AppendVarint(b, int64(len(s))), s...) }

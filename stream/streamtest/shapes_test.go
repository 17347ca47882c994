package streamtest_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

const clickSchema = `{"type":"record","name":"Click","fields":[
 {"name":"id","type":"string"},{"name":"user","type":"string"},{"name":"page","type":["null","string"]},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"ms","type":"long"}]}`

// head and tail are what the pipelines of the shapes have in common.
const shapeHead = `apiVersion: tidemark/v1
pipeline: shape
kafka: {brokers: [%q]}
`

const shapeTail = `lake: {bucket: "file://./lake", roll: {every: 1m, bytes_max: 1MiB}}
reconcile: {settle: 0s, guard: {max_changed_windows: 100%, else: publish}}
state: {dir: state, memory_max: 64MiB, checkpoint_every: 1s, keep: 3}
commit: {every: 20ms}
`

const clickSource = `{topic: %s, format: json, schema: {file: click.avsc}, event_id: [id], event_time: at, %s
    watermark: {max_out_of_orderness: 30s, max_future: 24h, confirm: 1, idle_after: 1d, close_when_idle: 0s}}`

// shapes are pipelines of every way in which events come to windows.
var shapes = map[string]string{
	"rekeyed": `source: ` + fmt.Sprintf(clickSource, "clicks", "") + `
outputs:
  - {name: by-user, group_by: [user], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {clicks: count(), ms: sum(ms)}}
  - {name: by-page, group_by: [page], window: {hopping: {size: 20m, every: 5m}}, allowed_lateness: 2m, aggregate: {clicks: count(), users: approx_distinct(user)}}
  - {name: all, group_by: [], window: {tumbling: 1h}, aggregate: {clicks: count(), slowest: "top_k(user, 2)"}}
`,
	"sessions": `source: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
rules:
  - {name: slow, when: "ms > 900", then: filter}
  - {name: sane, expect: "ms != 13", else: quarantine}
outputs:
  - {name: visits, group_by: [user], window: {session: {gap: 4m, within: 1d}, timezone: America/New_York}, allowed_lateness: 1m, aggregate: {clicks: count(), first: first(page), last: last(page)}}
  - {name: days, group_by: [user], window: {tumbling: 1d, timezone: America/New_York}, allowed_lateness: 1m, emit: {on_update: 1s}, aggregate: {clicks: count(), p90: "quantile(ms, 0.9)"}}
`,
	"interval": `sources:
  clicks: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
  orders: ` + fmt.Sprintf(clickSource, "orders", "key: [user],") + `
join: {interval: {left: clicks, right: orders, on: {clicks: [user], orders: [user]}, between: [-1m, 3m]}, allowed_lateness: 1m}
outputs:
  - {name: bought, group_by: [clicks.user], window: {tumbling: 10m}, aggregate: {pairs: count(), ms: sum(orders.ms), last: last(clicks.page)}}
`,
	"enriched": `sources:
  clicks: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
  profiles: ` + fmt.Sprintf(clickSource, "orders", "key: [user],") + `
enrich: {source: clicks, with: profiles, on: {clicks: [user], profiles: [user]}, allowed_lateness: 1m}
outputs:
  - {name: enriched, group_by: [clicks.user], window: {tumbling: 10m}, aggregate: {clicks: count(), known: count(profiles.id), ms: sum(profiles.ms)}}
`,
	"cogroup": `sources:
  clicks: ` + fmt.Sprintf(clickSource, "clicks", "key: [user],") + `
  orders: ` + fmt.Sprintf(clickSource, "orders", "key: [user],") + `
let: {who: "clicks.user != null ? clicks.user : orders.user"}
outputs:
  - {name: both, group_by: [who], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {clicks: count(clicks.id), orders: count(orders.id), ms: max(orders.ms)}}
`,
}

// shape is one pipeline on one broker.
type shape struct {
	t      *testing.T
	dir    string
	kafka  kafka.Options
	bucket blob.Bucket
	plan   *pipeline.Plan
	sent   []sent
}

type sent struct {
	source    int
	partition int32
	value     []byte
}

const shapeWidth = 3

func newShape(t *testing.T, brokers []string, name string) *shape {
	t.Helper()
	s := &shape{t: t, dir: t.TempDir(), kafka: kafka.Options{Brokers: brokers}}
	for file, text := range map[string]string{"click.avsc": clickSchema, "shape.yaml": fmt.Sprintf(shapeHead, brokers[0]) + shapes[name] + shapeTail} {
		must(t, os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o644))
	}
	p, err := pipeline.Load(filepath.Join(s.dir, "shape.yaml"), os.LookupEnv)
	must(t, err)
	s.plan, err = p.Compile()
	must(t, err)
	p.State.CheckpointEvery = 100 * time.Millisecond
	s.bucket, err = blob.Open(t.Context(), p.Lake.Bucket, p.Dir)
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// generate makes events of every source: late ones, copies (of an unkeyed topic in any partition), values that are no event.
func (s *shape) generate(seed uint64, events int) {
	r := rand.New(rand.NewPCG(seed, 7))
	now := int64(1_362_880_000_000) // some hours before clocks are set forward in New York, on 10 March 2013
	for i := range events {
		now += int64(r.IntN(60_000))
		source := r.IntN(len(s.plan.Sources))
		at := now - int64(r.IntN(40_000))
		if r.IntN(8) == 0 {
			at -= int64(r.IntN(7_200_000))
		}
		user := fmt.Sprintf("u%d", r.IntN(5))
		page := "null"
		if r.IntN(4) > 0 {
			page = fmt.Sprintf(`"p%d"`, r.IntN(4))
		}
		text := fmt.Sprintf(`{"id":"e%d","user":%q,"page":%s,"at":%d,"ms":%d}`, i, user, page, at, r.IntN(1000))
		if r.IntN(30) == 0 {
			text = text[:r.IntN(len(text))]
		}
		s.send(r, source, user, text)
		if r.IntN(6) == 0 {
			s.send(r, source, user, text)
		}
	}
}

func (s *shape) send(r *rand.Rand, source int, user, text string) {
	partition := curated.Partition([]byte(user), shapeWidth)
	if len(s.plan.Sources[source].Spec.Key) == 0 {
		partition = r.Int32N(shapeWidth)
	}
	s.sent = append(s.sent, sent{source, partition, []byte(text)})
}

// produce sends what has been generated from a position on, and returns where it has come to.
func (s *shape) produce(from, to int) {
	ctx := s.t.Context()
	admin, err := kafka.NewAdmin(s.kafka)
	must(s.t, err)
	defer admin.Close()
	for i := range s.plan.Sources {
		must(s.t, admin.EnsureTopic(ctx, kafka.TopicSpec{Name: s.plan.Sources[i].Topic, Partitions: shapeWidth, Configs: map[string]string{"retention.ms": "-1"}}))
	}
	p, err := kafka.NewProducer(s.kafka)
	must(s.t, err)
	defer p.Close()
	for _, m := range s.sent[from:to] {
		must(s.t, p.Produce(ctx, &kafka.Record{Topic: s.plan.Sources[m.source].Topic, Partition: m.partition, Value: m.value}))
	}
	must(s.t, p.Flush(ctx))
}

func (s *shape) run(id string) (*stream.Summary, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	return stream.Run(ctx, stream.Options{
		Plan: s.plan, Kafka: s.kafka, Bucket: s.bucket, ID: id, UntilEnd: true, Now: time.Now, PollRecordsMax: 100, RetryFor: 30 * time.Second,
	})
}

// truth is what a batch over all records gives, by Kafka key.
func (s *shape) truth() []map[string][32]byte {
	d, err := streamtest.NewDriver(s.plan, shapeWidth)
	must(s.t, err)
	for _, m := range s.sent {
		d.Append(m.source, m.partition, m.value)
	}
	all := make([]map[string][32]byte, len(s.plan.Outputs))
	for i, codec := range s.plan.Codecs {
		rows, err := d.Batch(i)
		must(s.t, err)
		all[i] = map[string][32]byte{}
		for _, r := range rows {
			row := curated.Row{Key: r.Key, Start: r.Start, End: r.End, Values: r.Values, Status: curated.Closed}
			all[i][string(codec.AppendKey(nil, &row))] = codec.RowHash(&row)
		}
	}
	return all
}

// published folds an output's topic as a careful consumer does: the highest revision of each key, without what was
// retracted. Revisions never fall, and an equal one has equal values.
func (s *shape) published(output int) (map[string][32]byte, map[curated.Status]int) {
	s.t.Helper()
	admin, err := kafka.NewAdmin(s.kafka)
	must(s.t, err)
	defer admin.Close()
	name := s.plan.Outputs[output].Name
	ends, err := admin.Offsets(s.t.Context(), name)
	must(s.t, err)
	codec := s.plan.Codecs[output]
	inForce, revisions, seen := map[string][32]byte{}, map[string]int64{}, map[curated.Status]int{}
	for p := range int32(len(ends)) {
		must(s.t, kafka.ReadRange(s.t.Context(), s.kafka, name, p, 0, ends[p].High, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			var row curated.Row
			if err := codec.Decode(r.Key, r.Value, &row); err != nil {
				return err
			}
			key, hash := string(r.Key), codec.RowHash(&row)
			if was := revisions[key]; row.Revision < was || row.Revision == was && row.Status != curated.Open {
				s.t.Errorf("%s: revision %d of %s (%s) follows revision %d", name, row.Revision, codec.FormatKey(row.Key), row.Status, was)
			} else if row.Revision == was && inForce[key] != hash {
				s.t.Errorf("%s: revision %d of %s has two values", name, row.Revision, codec.FormatKey(row.Key))
			}
			revisions[key] = row.Revision
			seen[row.Status]++
			if inForce[key] = hash; row.Status == curated.Retracted {
				delete(inForce, key)
			}
			return nil
		}))
	}
	return inForce, seen
}

// Every shape of a pipeline, over a broker: stream + corrections = batch truth, the lake has every record, the state is
// sound, a second reconcile publishes nothing and an audit agrees. Two processes share the tasks; half of the input comes
// after they have ended once, and a disk is lost meanwhile.
func TestShapes(t *testing.T) {
	for name := range shapes {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, fakeBroker(t), name)
			s.generate(11, 900)
			s.produce(0, len(s.sent)/2)
			s.runBoth()
			must(t, os.RemoveAll(filepath.Join(s.dir, "state", "shape", "a")))
			s.produce(len(s.sent)/2, len(s.sent))
			sum := s.runBoth()
			if !sum.Balanced() || sum.Counters.Consumed != int64(len(s.sent)) {
				t.Errorf("%d records: %+v", len(s.sent), sum.Counters)
			}
			t.Logf("%+v", sum.Counters)
			s.reconcile()
			for i, want := range s.truth() {
				got, seen := s.published(i)
				t.Logf("%s: %d windows; published %v", s.plan.Outputs[i].Name, len(want), seen)
				s.equal(s.plan.Outputs[i].Name, want, got)
			}
			s.checkState()
		})
	}
}

func (s *shape) runBoth() *stream.Summary {
	s.t.Helper()
	var wg sync.WaitGroup
	sums, errs := make([]*stream.Summary, 2), make([]error, 2)
	for i, id := range []string{"a", "b"} {
		wg.Go(func() { sums[i], errs[i] = s.run(id) })
	}
	wg.Wait()
	for _, err := range errs {
		must(s.t, err)
	}
	return sums[0]
}

func (s *shape) reconcile() {
	s.t.Helper()
	r, err := reconcile.New(reconcile.Options{Plan: s.plan, Kafka: s.kafka, Bucket: s.bucket, Now: time.Now, Run: "test"})
	must(s.t, err)
	first, err := r.Apply(s.t.Context(), reconcile.ApplyOptions{})
	must(s.t, err)
	s.t.Logf("reconcile: %+v, %d units certified, %d wait", first.Windows, first.Certified, first.Waiting)
	if first.Waiting > 0 {
		s.t.Errorf("%d units wait: %+v", first.Waiting, first.Plan.Units[0])
	}
	again, err := r.Apply(s.t.Context(), reconcile.ApplyOptions{})
	must(s.t, err)
	if again.Published != 0 || again.Certified != 0 {
		s.t.Errorf("a second reconcile published %d and certified %d", again.Published, again.Certified)
	}
	audit, err := r.Audit(s.t.Context())
	must(s.t, err)
	if audit.Difference != nil || audit.Statement != "stream + corrections = batch truth" {
		s.t.Errorf("audit: %s %+v", audit.Statement, audit.Difference)
	}
	for i := range s.plan.Sources {
		sum, err := lake.Check(s.t.Context(), s.bucket, s.plan.Sources[i].Topic, func(f lake.Fault) {
			if !f.Kind.Harmless() {
				s.t.Errorf("lake: %+v", f)
			}
		})
		must(s.t, err)
		want := int64(0)
		for _, m := range s.sent {
			if s.plan.Sources[m.source].Topic == s.plan.Sources[i].Topic {
				want++
			}
		}
		if sum.Records != want {
			s.t.Errorf("lake of %s holds %d records, %d were produced", s.plan.Sources[i].Topic, sum.Records, want)
		}
	}
}

func (s *shape) equal(name string, want, got map[string][32]byte) {
	s.t.Helper()
	for key, hash := range want {
		if have, ok := got[key]; !ok {
			s.t.Errorf("%s: a window is missing: %x", name, key)
		} else if !bytes.Equal(have[:], hash[:]) {
			s.t.Errorf("%s: a window has another value: %x", name, key)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			s.t.Errorf("%s: a window too many: %x", name, key)
		}
	}
}

// checkState lets the store look at every key of every task's state.
func (s *shape) checkState() {
	s.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(s.dir, "state", "shape", "*", "[0-9]"))
	must(s.t, err)
	shared, err := state.NewShared(state.SharedOptions{})
	must(s.t, err)
	defer shared.Close()
	for _, dir := range dirs {
		must(s.t, state.Check(dir, shared, func(f state.Fault) { s.t.Errorf("state %s: %+v", dir, f) }))
	}
	if len(dirs) == 0 {
		s.t.Error("no state to check")
	}
}

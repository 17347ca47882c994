package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setting is what the pipeline file of testdata leaves open.
type setting map[string]string

func (s setting) with(pairs ...string) setting {
	out := setting{"WINDOW": "1h", "BIG": "5", "SETTLE": "1s", "SHARE": "100%", "ELSE": "hold"}
	for k, v := range s {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

const sourcePartitions = 3

// landedAgo is how long ago, on the rig's clock, anything was landed: longer than the pipeline file's settle, unless a test says otherwise.
const landedAgo = 10 * time.Second

// rig is a pipeline on a fake broker and a bucket in memory. Its stream is done by hand: enough of one to publish, to be late, to
// journal, to land and to leave checkpoints, through the very packages that the real one uses.
type rig struct {
	t      testing.TB
	ctx    context.Context
	fake   *kfake.Cluster
	k      kafka.Options
	admin  *kafka.Admin
	bucket blob.Bucket
	plan   *pipeline.Plan
	tasks  []*handTask
	clock  time.Time
	runs   int
	hold   bool // checkpoint, but don't land the source
}

// handTask is one task of the stream by hand.
type handTask struct {
	partition int32
	engine    *window.Engine
	eval      *pipeline.Eval
	mark      window.Watermark
	next, seq int64
}

func newRig(t testing.TB, s setting) *rig {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(sourcePartitions, "orders", "shop-journal", "sales"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	g := &rig{t: t, ctx: context.Background(), fake: fake, k: kafka.Options{Brokers: fake.ListenAddrs()}, bucket: blob.NewMemory()}
	g.clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g.plan = g.compile(s)
	if g.admin, err = kafka.NewAdmin(g.k); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.admin.Close)
	g.deploy(s)
	return g
}

func (g *rig) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) now() time.Time { return g.clock }

func (g *rig) compile(s setting) *pipeline.Plan {
	g.t.Helper()
	s = s.with()
	text, err := os.ReadFile("testdata/shop.yaml")
	g.must(err)
	out := os.Expand(string(text), func(name string) string { return s[name] })
	dir := g.t.TempDir()
	avsc, err := os.ReadFile("testdata/order.avsc")
	g.must(err)
	g.must(os.WriteFile(dir+"/order.avsc", avsc, 0o600))
	g.must(os.WriteFile(dir+"/shop.yaml", []byte(out), 0o600))
	p, err := pipeline.Load(dir+"/shop.yaml", os.LookupEnv)
	g.must(err)
	plan, err := p.Compile()
	g.must(err)
	return plan
}

// deploy starts the tasks of a pipeline file anew: of the first one with no watermark, of later ones at a watermark beyond all
// that was open, with empty state, as a change decision does.
func (g *rig) deploy(s setting) {
	g.t.Helper()
	old := g.tasks
	g.plan = g.compile(s)
	g.tasks = nil
	f := int64(math.MinInt64)
	for _, task := range old {
		if bound, ok := task.engine.Bound(math.MaxInt64); ok {
			f = max(f, bound)
		}
		f = max(f, task.mark.Value(g.plan.WatermarkOptions))
	}
	var entries []journal.Entry
	for p := int32(0); p < sourcePartitions; p++ {
		task := &handTask{partition: p, eval: g.plan.NewEval(), mark: window.NewWatermark()}
		var err error
		task.engine, err = window.NewEngine(g.plan.Outputs, nil, window.EngineOptions{})
		g.must(err)
		e := journal.Entry{Kind: journal.Born, Time: journal.NoTime}
		if old != nil {
			task.next, task.seq = old[p].next, old[p].seq
			task.mark = old[p].mark
			task.mark.Raise(f, g.plan.WatermarkOptions)
			e = journal.Entry{Kind: journal.Change, Time: f, Watermark: f, HasWatermark: true}
		}
		task.seq++
		e.Seq, e.Offset = task.seq, task.next
		entries = append(entries, g.entry(task, e))
		g.tasks = append(g.tasks, task)
	}
	g.publish(nil, entries)
}

func (g *rig) entry(task *handTask, e journal.Entry) journal.Entry {
	e.Task, e.Topic, e.Partition, e.Fingerprint, e.Partitions = task.partition, "orders", task.partition, g.plan.Fingerprint, sourcePartitions
	return e
}

// order is one event; "" as an amount is null.
type order struct {
	id, shop, at string
	amount       string
	qty          int64
}

// send produces the orders to the partitions that their shops belong to.
func (g *rig) send(orders ...order) {
	g.t.Helper()
	p, err := kafka.NewProducer(g.k)
	g.must(err)
	defer p.Close()
	eval := g.plan.NewEval()
	for _, o := range orders {
		value := g.encode(o)
		g.must(eval.Record(value))
		g.must(p.Produce(g.ctx, &kafka.Record{Topic: "orders", Partition: eval.PartitionOf(sourcePartitions), Key: []byte(o.shop), Value: value}))
	}
	g.must(p.Flush(g.ctx))
}

func (g *rig) encode(o order) []byte {
	g.t.Helper()
	amount := o.amount
	if amount == "" {
		amount = "null"
	}
	g.runs++
	line := fmt.Sprintf(`{"id":%q,"shop":%q,"at":%q,"amount":%s,"qty":%d,"sent_at":%d}`, o.id, o.shop, fullTime(o.at), amount, o.qty, g.runs)
	value, err := g.plan.Schema.AppendJSON(nil, []byte(line))
	g.must(err)
	return value
}

// fullTime lets tests write "09:30" for a time of 2013-01-09.
func fullTime(s string) string {
	if len(s) == 5 {
		return "2013-01-09T" + s + ":00Z"
	}
	return s
}

// msOf is a time in ms.
func msOf(s string) int64 {
	at, err := time.Parse(time.RFC3339, fullTime(s))
	if err != nil {
		panic(err)
	}
	return at.UnixMilli()
}

// stream consumes what was sent, publishes what closes, journals what is late, lands everything and leaves checkpoints.
func (g *rig) stream() {
	g.t.Helper()
	var rows []*kafka.Record
	var entries []journal.Entry
	ends, err := g.admin.Offsets(g.ctx, "orders")
	g.must(err)
	for _, task := range g.tasks {
		high := ends[task.partition].High
		err := kafka.ReadRange(g.ctx, g.k, "orders", task.partition, task.next, high, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			return g.consume(task, r, &entries)
		})
		g.must(err)
		task.next = high
		rows = append(rows, g.closeUpTo(task, task.mark.Value(g.plan.WatermarkOptions))...)
	}
	g.publish(rows, entries)
	g.checkpoint()
	g.land()
}

func (g *rig) consume(task *handTask, r *kafka.Record, entries *[]journal.Entry) error {
	var bad *schema.RecordError
	if err := task.eval.Record(r.Value); errors.As(err, &bad) {
		e := journal.Entry{Kind: journal.Invalid, Time: journal.NoTime, Offset: r.Offset, Reason: bad.Reason}
		if task.eval.Landable() {
			e.Time = task.eval.Event.Time
		}
		*entries = append(*entries, g.entry(task, e))
		return nil
	} else if err != nil {
		return err
	}
	in := &task.eval.Input
	mark := task.mark.Value(g.plan.WatermarkOptions)
	v, err := task.engine.Add(in, mark)
	if err != nil {
		return err
	}
	if v.Outcome == window.Late {
		*entries = append(*entries, g.entry(task, journal.Entry{
			Kind: journal.Late, Time: in.Time, Offset: r.Offset, Watermark: mark, HasWatermark: true,
		}))
	}
	task.mark.Observe(in.Time, in.ID, g.plan.WatermarkOptions)
	return nil
}

func (g *rig) closeUpTo(task *handTask, mark int64) (rows []*kafka.Record) {
	g.t.Helper()
	if mark == window.NoWatermark {
		return nil
	}
	g.must(task.engine.Close(mark, func(res *window.Result) error {
		rows = append(rows, g.row(&curated.Row{
			Key: res.Key, Start: res.Start, End: res.End, Values: res.Values, Revision: res.Events + 1, Status: curated.Closed,
			Cause: curated.CauseClose, Events: res.Events, Duplicates: res.Duplicates,
		}))
		return nil
	}))
	return rows
}

// row is a curated record as the stream publishes it.
func (g *rig) row(r *curated.Row) *kafka.Record {
	codec := g.plan.Codecs[0]
	r.Pipeline, r.PublishedAt = "shop", g.clock.UnixMilli()
	return &kafka.Record{Topic: "sales", Partition: curated.Partition(r.Key, 3), Key: codec.AppendKey(nil, r), Value: codec.AppendValue(nil, r)}
}

// publish sends curated records and journal entries in one transaction. A client that commits its first transaction at once may
// abort it unsaid (see silentabort_test.go), so it looks whether they are there.
func (g *rig) publish(rows []*kafka.Record, entries []journal.Entry) {
	g.t.Helper()
	for i := range entries {
		rows = append(rows, &kafka.Record{Topic: "shop-journal", Partition: entries[i].Task, Value: journal.Append(nil, &entries[i])})
	}
	if len(rows) == 0 {
		return
	}
	for want, tried := g.committed()+len(rows), false; !tried || g.committed() < want; tried = true {
		p, err := kafka.NewTxnProducer(g.ctx, g.k, "shop-stream")
		g.must(err)
		for _, r := range rows {
			c := *r
			p.Produce(g.ctx, &c)
		}
		g.must(p.Commit(g.ctx))
		p.Close()
	}
}

// committed counts the records of the curated topic and the journal, as a read-committed consumer does.
func (g *rig) committed() (n int) {
	g.t.Helper()
	for _, topic := range []string{"sales", "shop-journal"} {
		ends, err := g.admin.Offsets(g.ctx, topic)
		g.must(err)
		for p, e := range ends {
			g.must(kafka.ReadRange(g.ctx, g.k, topic, p, 0, e.LastStable, func(r *kafka.Record) error {
				if !r.Attrs.IsControl() {
					n++
				}
				return nil
			}))
		}
	}
	return n
}

// end declares the input over: every partition's watermark rises above all that is open.
func (g *rig) end() {
	g.t.Helper()
	bound := int64(math.MinInt64)
	for _, task := range g.tasks {
		if b, ok := task.engine.Bound(math.MaxInt64); ok {
			bound = max(bound, b)
		}
	}
	g.raise(bound)
}

// raise is a decision that raises every watermark.
func (g *rig) raise(to int64) {
	g.t.Helper()
	var rows []*kafka.Record
	var entries []journal.Entry
	for _, task := range g.tasks {
		task.mark.Raise(to, g.plan.WatermarkOptions)
		task.seq++
		entries = append(entries, g.entry(task, journal.Entry{Kind: journal.End, Seq: task.seq, Time: to, Offset: task.next, Watermark: to, HasWatermark: true}))
		rows = append(rows, g.closeUpTo(task, task.mark.Value(g.plan.WatermarkOptions))...)
	}
	g.publish(rows, entries)
	g.checkpoint()
	g.land()
}

// checkpoint leaves a manifest of every task, through the real store.
func (g *rig) checkpoint() {
	g.t.Helper()
	shared, err := state.NewShared(state.SharedOptions{FS: statetest.NewMem()})
	g.must(err)
	for _, task := range g.tasks {
		store, err := state.Open(fmt.Sprintf("state/%d", task.partition), shared)
		g.must(err)
		cut := &state.Cut{
			Version: state.CutVersion, Pipeline: "shop", Task: task.partition, Fingerprint: g.plan.Fingerprint, Journal: task.seq, Bound: state.NoBound,
			Sources: []state.Source{{
				Topic: "orders", Partition: task.partition, Partitions: sourcePartitions, Next: task.next, LeaderEpoch: -1,
				Reached: task.mark.Value(g.plan.WatermarkOptions),
			}},
		}
		g.must(store.Apply(cut, func(b state.Batch) error { return b.Set([]byte{0x10, byte(task.partition)}, []byte("x")) }))
		_, _, err = store.Checkpoint(g.ctx, g.bucket, state.CheckpointOptions{Prefix: fmt.Sprintf("checkpoints/shop/%d", task.partition), Keep: 3, Now: g.now})
		g.must(err)
		g.must(store.Close())
	}
	g.must(shared.Close())
}

// land lands the source and the journal. The curated topic is left to the reconciler, which must cope.
func (g *rig) land() {
	g.t.Helper()
	if !g.hold {
		src, err := landing.OpenSource(g.ctx, g.bucket, g.plan, g.topicID("orders"))
		g.must(err)
		g.landTopic(src, "orders")
	}
	j, err := landing.OpenJournal(g.ctx, g.bucket, "shop-journal", g.topicID("shop-journal"))
	g.must(err)
	g.landTopic(j, "shop-journal")
}

func (g *rig) landTopic(topic *landing.Topic, name string) {
	g.t.Helper()
	ends, err := g.admin.Offsets(g.ctx, name)
	g.must(err)
	for p := int32(0); p < int32(len(ends)); p++ {
		l, err := topic.Lake.Lander(g.ctx, p, lake.LanderOptions{Now: func() time.Time { return g.clock.Add(-landedAgo) }})
		g.must(err)
		g.must(topic.UpTo(g.ctx, g.k, l, p, ends[p].High))
		l.Close()
	}
}

func (g *rig) topicID(name string) string {
	g.t.Helper()
	info, err := g.admin.Topic(g.ctx, name)
	g.must(err)
	return info.ID
}

// reconciler makes one; change adjusts its options.
func (g *rig) reconciler(change ...func(*Options)) *Reconciler {
	g.t.Helper()
	g.runs++
	o := Options{Plan: g.plan, Kafka: g.k, Bucket: g.bucket, Now: g.now, Run: fmt.Sprintf("run-%d", g.runs), Binary: "test"}
	for _, c := range change {
		c(&o)
	}
	r, err := New(o)
	g.must(err)
	return r
}

// apply applies with the usual options and expects no error.
func (g *rig) apply(change ...func(*Options)) *Report {
	g.t.Helper()
	rep, err := g.reconciler(change...).Apply(g.ctx, ApplyOptions{})
	g.must(err)
	return rep
}

// audit expects every certified window to be equal.
func (g *rig) audit() *AuditReport {
	g.t.Helper()
	a, err := g.reconciler().Audit(g.ctx)
	g.must(err)
	if a.Difference != nil {
		g.t.Fatalf("audit: %+v", *a.Difference)
	}
	return a
}

// revisions reads the curated topic and gives each window's published values, oldest first, as "key start rev STATUS CAUSE values".
func (g *rig) revisions() []string {
	g.t.Helper()
	var out []string
	ends, err := g.admin.Offsets(g.ctx, "sales")
	g.must(err)
	for p := int32(0); p < int32(len(ends)); p++ {
		err := kafka.ReadRange(g.ctx, g.k, "sales", p, 0, ends[p].High, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			var row curated.Row
			if err := g.plan.Codecs[0].Decode(r.Key, r.Value, &row); err != nil {
				return err
			}
			out = append(out, fmt.Sprintf("%s %s %s", g.plan.Codecs[0].FormatKey(row.Key), timeOf(row.Start).Format("02T15:04"), rowText(&row)))
			return nil
		})
		g.must(err)
	}
	return out
}

func rowText(r *curated.Row) string {
	values := make([]string, len(r.Values))
	for i, v := range r.Values {
		values[i] = v.String()
	}
	return fmt.Sprintf("rev %d %s %s [%s] events %d late %d dup %d", r.Revision, r.Status, r.Cause, strings.Join(values, " "), r.Events, r.Late, r.Duplicates)
}

package reconcile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
	"github.com/tidemark-io/tidemark/stream/pipeline"
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

func newRig(t testing.TB, s setting) *rig {
	t.Helper()
	g := &rig{t: t, ctx: context.Background(), bucket: blob.NewMemory()}
	g.plan = g.compile(s)
	g.open()
	return g
}

// newRigOf is a rig for the text of any pipeline file.
func newRigOf(t testing.TB, text string) *rig {
	t.Helper()
	g := &rig{t: t, ctx: context.Background(), bucket: blob.NewMemory()}
	g.plan = g.compileText(text)
	g.open()
	return g
}

// open makes the topics of the rig's plan and starts its tasks.
func (g *rig) open() {
	g.t.Helper()
	g.clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(sourcePartitions, append(g.ours(), g.sources()...)...))
	g.must(err)
	g.t.Cleanup(fake.Close)
	g.fake, g.k = fake, kafka.Options{Brokers: fake.ListenAddrs()}
	g.admin, err = kafka.NewAdmin(g.k)
	g.must(err)
	g.t.Cleanup(g.admin.Close)
	g.deploy()
}

// sources are the source topics.
func (g *rig) sources() (names []string) {
	for i := range g.plan.Sources {
		names = append(names, g.plan.Sources[i].Topic)
	}
	return names
}

// ours are the topics that the pipeline writes.
func (g *rig) ours() []string {
	names := []string{g.plan.Pipeline.JournalTopic()}
	for i := range g.plan.Outputs {
		names = append(names, g.plan.Outputs[i].Name)
	}
	return names
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
	return g.compileText(os.Expand(string(text), func(name string) string { return s[name] }))
}

// compileText compiles a pipeline file, which may name the schemas of testdata.
func (g *rig) compileText(text string) *pipeline.Plan {
	g.t.Helper()
	dir := g.t.TempDir()
	schemas, err := filepath.Glob("testdata/*.avsc")
	g.must(err)
	for _, name := range schemas {
		avsc, err := os.ReadFile(name)
		g.must(err)
		g.must(os.WriteFile(filepath.Join(dir, filepath.Base(name)), avsc, 0o600))
	}
	g.must(os.WriteFile(dir+"/pipeline.yaml", []byte(text), 0o600))
	p, err := pipeline.Load(dir+"/pipeline.yaml", os.LookupEnv)
	g.must(err)
	plan, err := p.Compile()
	g.must(err)
	return plan
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
		g.must(eval.Decode(0, value))
		g.must(p.Produce(g.ctx, &kafka.Record{Topic: "orders", Partition: eval.PartitionOf(sourcePartitions), Key: []byte(o.shop), Value: value}))
	}
	g.must(p.Flush(g.ctx))
}

// records produces lines of JSON to a source topic: to the partition of their key, unless one is given. Times are as in fullTime.
func (g *rig) records(topic, partition, lines string) {
	g.t.Helper()
	source := slices.Index(g.sources(), topic)
	if topic == "" {
		source = 0
	}
	p, err := kafka.NewProducer(g.k)
	g.must(err)
	defer p.Close()
	eval := g.plan.NewEval()
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		line = shortTime.ReplaceAllStringFunc(line, func(s string) string { return `"` + fullTime(strings.Trim(s, `"`)) + `"` })
		value, err := g.plan.Sources[source].Source.FromJSON(nil, []byte(line))
		if err != nil { // bytes that aren't what the schema says
			value = []byte(line)
		}
		r := &kafka.Record{Topic: g.sources()[source], Value: value}
		if partition == "" {
			g.must(eval.Decode(source, value))
			r.Partition = eval.PartitionOf(sourcePartitions)
		} else {
			n, err := strconv.ParseInt(partition, 10, 32)
			g.must(err)
			r.Partition = int32(n)
		}
		g.must(p.Produce(g.ctx, r))
	}
	g.must(p.Flush(g.ctx))
}

var shortTime = regexp.MustCompile(`"(\d\dT)?\d\d:\d\d"`)

func (g *rig) encode(o order) []byte {
	g.t.Helper()
	amount := o.amount
	if amount == "" {
		amount = "null"
	}
	g.runs++
	line := fmt.Sprintf(`{"id":%q,"shop":%q,"at":%q,"amount":%s,"qty":%d,"sent_at":%d}`, o.id, o.shop, fullTime(o.at), amount, o.qty, g.runs)
	value, err := g.plan.Sources[0].Schema.AppendJSON(nil, []byte(line))
	g.must(err)
	return value
}

// fullTime lets tests write "09:30" for a time of 2013-01-09, and "10T09:30" for one of the day after.
func fullTime(s string) string {
	switch len(s) {
	case 5:
		return "2013-01-09T" + s + ":00Z"
	case 8:
		return "2013-01-" + s + ":00Z"
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

// row is a curated record as the stream publishes it.
func (g *rig) row(output int, r *curated.Row) *kafka.Record {
	codec := g.plan.Codecs[output]
	r.Pipeline, r.PublishedAt = g.plan.Pipeline.Name, g.clock.UnixMilli()
	return &kafka.Record{Topic: g.plan.Outputs[output].Name, Partition: curated.Partition(r.Key, 3), Key: codec.AppendKey(nil, r), Value: codec.AppendValue(nil, r)}
}

// publish sends curated records and journal entries in one transaction. A client that commits its first transaction at once may
// abort it unsaid (see silentabort_test.go), so it looks whether they are there.
func (g *rig) publish(rows []*kafka.Record, entries []journal.Entry) {
	g.t.Helper()
	for i := range entries {
		rows = append(rows, &kafka.Record{Topic: g.plan.Pipeline.JournalTopic(), Partition: entries[i].Task, Value: journal.Append(nil, &entries[i])})
	}
	if len(rows) == 0 {
		return
	}
	for want, tried := g.committed()+len(rows), false; !tried || g.committed() < want; tried = true {
		p, err := kafka.NewTxnProducer(g.ctx, g.k, g.plan.Pipeline.Name+"-stream")
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
	for _, topic := range g.ours() {
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

// land lands the source and the journal. The curated topic is left to the reconciler, which must cope.
func (g *rig) land() {
	g.t.Helper()
	if !g.hold {
		for s, name := range g.sources() {
			src, err := landing.OpenSource(g.ctx, g.bucket, g.plan, s, g.topicID(name))
			g.must(err)
			g.landTopic(src, name)
		}
	}
	name := g.plan.Pipeline.JournalTopic()
	j, err := landing.OpenJournal(g.ctx, g.bucket, name, g.topicID(name))
	g.must(err)
	g.landTopic(j, name)
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

// revisions reads the curated topics and gives each window's published values, oldest first, as "key start rev STATUS CAUSE values".
func (g *rig) revisions() []string {
	g.t.Helper()
	var out []string
	for o := range g.plan.Outputs {
		out = append(out, g.revisionsOf(o)...)
	}
	return out
}

func (g *rig) revisionsOf(output int) (out []string) {
	g.t.Helper()
	codec, name := g.plan.Codecs[output], g.plan.Outputs[output].Name
	ends, err := g.admin.Offsets(g.ctx, name)
	g.must(err)
	for p := int32(0); p < int32(len(ends)); p++ {
		err := kafka.ReadRange(g.ctx, g.k, name, p, 0, ends[p].High, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			var row curated.Row
			if err := codec.Decode(r.Key, r.Value, &row); err != nil {
				return err
			}
			out = append(out, fmt.Sprintf("%s %s %s", codec.FormatKey(row.Key), g.windowText(output, timeOf(row.Start), timeOf(row.End)), rowText(&row)))
			return nil
		})
		g.must(err)
	}
	return out
}

// windowText is a window by its start, and its end where that doesn't follow.
func (g *rig) windowText(output int, start, end time.Time) string {
	if def := &g.plan.Outputs[output]; def.Zone == nil && !def.Session() {
		return start.Format("02T15:04")
	}
	return start.Format("02T15:04") + "-" + end.Format("02T15:04")
}

func rowText(r *curated.Row) string {
	values := make([]string, len(r.Values))
	for i, v := range r.Values {
		values[i] = v.String()
	}
	return fmt.Sprintf("rev %d %s %s [%s] events %d late %d dup %d", r.Revision, r.Status, r.Cause, strings.Join(values, " "), r.Events, r.Late, r.Duplicates)
}

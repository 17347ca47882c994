package stream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

const pairSchema = `{"type":"record","name":"e","fields":[{"name":"id","type":"string"},{"name":"user","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}`

const pairSource = `{topic: %[1]s, format: json, schema: {file: e.avsc}, event_id: [id], event_time: at, key: [user],
    watermark: {max_out_of_orderness: 1m, max_future: 30m, confirm: 2}}`

var pairShapes = map[string]string{
	"cogroup": `let: {who: "a.user != null ? a.user : b.user"}
outputs:
  - {name: both, group_by: [who], window: {hopping: {size: 20m, every: 10m}}, allowed_lateness: 2m, aggregate: {n: count(a.id), m: count(b.id)}}
`,
	"enriched": `enrich: {source: a, with: b, on: {a: [user], b: [user]}, allowed_lateness: 1m}
outputs:
  - {name: known, group_by: [a.user], window: {tumbling: 10m}, aggregate: {n: count(), m: count(b.id)}}
`,
}

// pair is a task of two inputs on a disk, beside the log and the journal that it has had.
type pair struct {
	t         *testing.T
	plan      *pipeline.Plan
	shared    *state.Shared
	logs      [2][]*kafka.Record
	decisions []journal.Entry
	every     int  // records between two writes of a replay
	decided   bool // what it writes on the way names all decisions, as if they had been in the state that it began with
}

func newPair(t *testing.T, shape string) *pair {
	t.Helper()
	dir := t.TempDir()
	text := "apiVersion: tidemark/v1\npipeline: pair\nkafka: {brokers: [\"localhost:1\"]}\nlake: {bucket: \"file://./lake\"}\nsources:\n" +
		"  a: " + fmt.Sprintf(pairSource, "a") + "\n  b: " + fmt.Sprintf(pairSource, "b") + "\n" + pairShapes[shape]
	for file, text := range map[string]string{"e.avsc": pairSchema, "pair.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := pipeline.Load(filepath.Join(dir, "pair.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t, every: 20}
	if p.plan, err = loaded.Compile(); err != nil {
		t.Fatal(err)
	}
	if p.shared, err = state.NewShared(state.SharedOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.shared.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// open makes the task around what lies in dir, and says whether anything does.
func (p *pair) open(dir string) (*task, bool) {
	p.t.Helper()
	store, err := state.Open(dir, p.shared)
	if err != nil {
		p.t.Fatal(err)
	}
	t := &task{plan: p.plan, store: store, curatedWide: []int32{1}, updates: make([]updates, 1), now: func() int64 { return 1_357_700_000_000 }, out: collector{atOnce: closeAtOnce}}
	for i, topic := range []string{"a", "b"} {
		t.inputs = append(t.inputs, newInput(i, &kafka.TopicInfo{Name: topic, ID: topic, Partitions: 1}))
	}
	if t.flow, err = flow.New(p.plan, t, flow.Options{Widths: []int32{1, 1}, Backing: store}); err != nil {
		p.t.Fatal(err)
	}
	cut, err := store.Cut()
	if err != nil {
		p.t.Fatal(err)
	}
	if cut != nil {
		if err := t.resume(cut); err != nil {
			p.t.Fatal(err)
		}
	}
	return t, cut != nil
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// live lets a task have records and decisions in any order, and keeps them. Both inputs begin at offset 3, behind records
// that are none of the task's.
func (p *pair) live(t *task, r *rand.Rand) {
	p.must(t.born([]int64{3, 3}))
	for i, in := range t.inputs {
		for offset := range int64(3) {
			value := fmt.Appendf(nil, `{"id":"before","user":"u","at":%d}`, 1_357_689_500_000+offset)
			p.logs[i] = append(p.logs[i], &kafka.Record{Topic: in.topic, Offset: offset, Value: value})
		}
	}
	now := int64(1_357_689_600_000)
	for i := range 200 {
		in := t.inputs[r.IntN(2)]
		now += r.Int64N(60_000)
		at := now - r.Int64N(120_000)
		if r.IntN(6) == 0 {
			at += 25*60_000 + r.Int64N(20*60_000) // near what is believed
		}
		rec := &kafka.Record{Topic: in.topic, Offset: in.next + r.Int64N(2), Value: fmt.Appendf(nil, `{"id":"e%d","user":"u%d","at":%d}`, i, r.IntN(3), at)}
		p.logs[in.number] = append(p.logs[in.number], rec)
		p.must(t.process(in, []*kafka.Record{rec}))
		if r.IntN(12) == 0 {
			in := t.inputs[r.IntN(2)]
			if mark := now - 60_000; mark > t.flow.Reached(in.number) {
				p.must(t.raise(in, journal.Idle, mark, "told to"))
			}
		}
	}
	for _, rec := range t.out.held {
		if rec.Topic != "pair-journal" {
			continue
		}
		e, err := journal.Decode(rec.Value)
		p.must(err)
		if e.Kind.Decision() {
			p.decisions = append(p.decisions, e)
		}
	}
}

var errCrash = errors.New("the process dies")

// replay brings the task to where another is, unless it dies after so many records.
func (p *pair) replay(t *task, hasState bool, end *task, lives int) error {
	decisions := p.decisions[t.decisions:]
	if !hasState {
		p.must(t.reborn(decisions))
	}
	again := &replay{t: t, turn: 7, every: p.every}
	for i, in := range t.inputs {
		in.limit = 20 // of this process's run; another's has come further
		from := in.next
		again.add(in, end.inputs[i].next, decisions, func(yield func(*kafka.Record, error) bool) {
			for _, rec := range p.logs[i] {
				if rec.Offset < from {
					continue
				}
				if lives--; lives < 0 {
					yield(nil, errCrash)
					return
				}
				if !yield(rec, nil) {
					return
				}
			}
		})
	}
	if p.decided {
		t.decisions = end.decisions
	}
	if err := again.run(); err != nil {
		return err
	}
	t.decisions = end.decisions
	return nil
}

// A replay that dies wherever it does, and goes on from the state that it has written on the way, comes to the cut that the
// task had reached live, over all of its inputs (laws L4 and L5): watermarks, what they hold as pending, and counters.
func TestReplayCutShort(t *testing.T) {
	for shape := range pairShapes {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("%s/%d", shape, seed), func(t *testing.T) {
				p := newPair(t, shape)
				r := rand.New(rand.NewPCG(seed, 1))
				live, _ := p.open(filepath.Join(t.TempDir(), "live"))
				p.live(live, r)
				want, err := live.cut()
				p.must(err)
				dir := filepath.Join(t.TempDir(), "again")
				deaths := 0
				for {
					again, hasState := p.open(dir)
					err := p.replay(again, hasState, live, r.IntN(90))
					if err == nil {
						p.must(again.apply())
						have, err := again.cut()
						p.must(err)
						if err := state.SameState(want, have); err != nil {
							t.Errorf("after %d deaths: %v", deaths, err)
						}
						p.must(again.store.Close())
						break
					}
					if !errors.Is(err, errCrash) {
						t.Fatal(err)
					}
					deaths++
					p.must(again.store.Close())
				}
				p.must(live.store.Close())
			})
		}
	}
}

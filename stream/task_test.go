package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// One task, record by record, without broker or bucket: the fate of each (invariants 3, 4, 5 and 7), the watermark, what is
// published and what is journalled. `end` and `idle` take decisions; `replay` feeds the same log and decisions
// to a new task, and it must come to the same cut.
func TestTask(t *testing.T) {
	datadriven.Walk(t, "testdata/task", func(t *testing.T, path string) {
		d := &taskDriver{t: t, plan: readings(t)}
		d.task = d.newTask()
		datadriven.RunTest(t, path, func(t *testing.T, data *datadriven.TestData) string {
			switch data.Cmd {
			case "feed":
				return d.feed(data.Input)
			case "end", "idle":
				kind := map[string]journal.Kind{"end": journal.End, "idle": journal.Idle}[data.Cmd]
				if err := d.task.raise(d.task.inputs[0], kind, d.clock(data.Input), "told to"); err != nil {
					return err.Error()
				}
				return d.flush()
			case "replay":
				return d.replay()
			}
			return "unknown command " + data.Cmd
		})
	})
}

func readings(t *testing.T) *pipeline.Plan {
	t.Helper()
	p, err := pipeline.Load(filepath.Join("testdata", "pipeline", "readings.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

type taskDriver struct {
	t         *testing.T
	plan      *pipeline.Plan
	task      *task
	log       []*kafka.Record
	decisions []journal.Entry
}

func (d *taskDriver) newTask() *task {
	t := &task{
		plan: d.plan, curatedWide: []int32{1, 1}, updates: make([]updates, 2), out: collector{atOnce: closeAtOnce},
		inputs: []*input{newInput(0, &kafka.TopicInfo{Name: "readings", ID: "id", Partitions: 1})},
		now:    func() int64 { return time.Date(2013, 1, 9, 12, 0, 0, 0, time.UTC).UnixMilli() },
	}
	var err error
	if t.flow, err = flow.New(d.plan, t, flow.Options{Widths: []int32{1}}); err != nil {
		d.t.Fatal(err)
	}
	return t
}

// feed takes one record a line: id, sensor, time of day, value; or a kind of bytes that are no event.
func (d *taskDriver) feed(input string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(input)) {
		f := strings.Fields(line)
		r := &kafka.Record{Topic: "readings", Offset: int64(len(d.log)), Timestamp: time.UnixMilli(0), Value: d.value(f)}
		before := d.task.counters()
		err := d.task.process(d.task.inputs[0], []*kafka.Record{r})
		var stop *StopError
		if errors.As(err, &stop) {
			fmt.Fprintf(&out, "%d stops: %v\n", r.Offset, err)
			continue
		}
		if err != nil {
			d.t.Fatal(err)
		}
		d.log = append(d.log, r)
		fmt.Fprintf(&out, "%d %s  watermark %s\n%s", r.Offset, fate(before, d.task.counters()), d.mark(), d.flush())
	}
	return out.String()
}

func (d *taskDriver) value(f []string) []byte {
	header := []byte{0, 0, 0, 0, 7}
	switch f[0] {
	case "null":
		return nil
	case "truncated":
		return append(header, 10, 'a')
	case "unknown-schema":
		return []byte{0, 0, 0, 0, 8, 1, 2, 3}
	}
	event, err := json.Marshal(map[string]any{"id": f[0], "sensor": f[1], "at": time.UnixMilli(d.clock(f[2])).UTC().Format(time.RFC3339), "value": json.RawMessage(f[3])})
	if err != nil {
		d.t.Fatal(err)
	}
	value, err := d.plan.Sources[0].Schema.AppendJSON(header, event)
	if err != nil {
		d.t.Fatal(err)
	}
	return value
}

// clock reads 09:05 of the test's day, or a whole timestamp.
func (d *taskDriver) clock(s string) int64 {
	s = strings.TrimSpace(s)
	if len(s) == 5 {
		s = "2013-01-09T" + s + ":00Z"
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		d.t.Fatal(err)
	}
	return at.UnixMilli()
}

func (d *taskDriver) mark() string {
	v := d.task.flow.Reached(0)
	if v == math.MinInt64 {
		return "none"
	}
	return time.UnixMilli(v).UTC().Format("02 15:04")
}

func fate(a, b state.Counters) string {
	switch {
	case b.Consumed != a.Consumed+1:
		return "not consumed"
	case b.Aggregated > a.Aggregated:
		return "aggregated"
	case b.Duplicate > a.Duplicate:
		return "duplicate"
	case b.Late > a.Late:
		return "late"
	case b.Invalid > a.Invalid:
		return "invalid"
	}
	return "no fate"
}

// flush prints what the task would publish, and keeps its decisions.
func (d *taskDriver) flush() string {
	var out strings.Builder
	for _, r := range d.task.out.held {
		if r.Topic == "readings-journal" {
			e, err := journal.Decode(r.Value)
			if err != nil {
				d.t.Fatal(err)
			}
			if e.Kind.Decision() {
				d.decisions = append(d.decisions, e)
			}
			fmt.Fprintf(&out, "    journal %s %s at %d seq %d %s\n", e.Kind, e.Output, e.Offset, e.Seq, e.Reason)
			continue
		}
		i := map[string]int{"readings-10m": 0, "readings-1h": 1}[r.Topic]
		var row curated.Row
		if err := d.plan.Codecs[i].Decode(r.Key, r.Value, &row); err != nil {
			d.t.Fatal(err)
		}
		fmt.Fprintf(&out, "    %s %s %s revision %d:", r.Topic, d.plan.Codecs[i].FormatKey(row.Key), time.UnixMilli(row.Start).UTC().Format("15:04"), row.Revision)
		for _, v := range row.Values {
			if v.IsNull() {
				out.WriteString(" null")
			} else {
				fmt.Fprintf(&out, " %d", v.Int())
			}
		}
		out.WriteByte('\n')
	}
	d.task.out.held = nil
	return out.String()
}

// replay brings a new task to the same cut from the log and the journal alone, with outputs suppressed.
func (d *taskDriver) replay() string {
	again := d.newTask()
	again.replaying = true
	left := d.decisions
	obey := func(upTo int64) {
		for len(left) > 0 && left[0].Offset <= upTo {
			if err := again.obey(again.inputs[0], &left[0]); err != nil {
				d.t.Fatal(err)
			}
			left = left[1:]
		}
	}
	for _, r := range d.log {
		obey(r.Offset)
		if err := again.process(again.inputs[0], []*kafka.Record{r}); err != nil {
			d.t.Fatal(err)
		}
	}
	obey(math.MaxInt64)
	again.decisions = d.task.decisions
	if len(again.out.held) > 0 {
		return fmt.Sprintf("the replay published %d records", len(again.out.held))
	}
	want, got := d.cut(d.task), d.cut(again)
	if want != got {
		return fmt.Sprintf("another cut:\n%s\n%s", want, got)
	}
	return "the same cut: " + got
}

func (d *taskDriver) cut(t *task) string {
	cut, err := t.cut()
	if err != nil {
		d.t.Fatal(err)
	}
	c := cut.Counters
	return fmt.Sprintf("next %d, decisions %d, consumed %d = %d + %d + %d + %d + %d, watermark %s, outputs %v", cut.Sources[0].Next, cut.Journal,
		c.Consumed, c.Aggregated, c.Duplicate, c.Late, c.Filtered, c.Invalid, cut.Sources[0].Watermark, c.Outputs)
}

package streamtest_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/windowtest"
)

const exampleSchema = `{"type": "record", "name": "Reading", "fields": [
  {"name": "station", "type": "string"},
  {"name": "number", "type": "long"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "celsius", "type": "double"}]}`

// The pipeline uses an aggregate, spread, and a function, fahrenheit, of the program's own.
const examplePipeline = `apiVersion: tidemark/v1
pipeline: weather
kafka: {brokers: [localhost:9092]}
source:
  topic: readings
  format: avro-raw
  schema: {file: ./readings.avsc}
  event_id: [station, number]
  event_time: at
  key: [station]
outputs:
  - name: hourly
    group_by: [station]
    window: {tumbling: 1h}
    aggregate:
      readings: count()
      spread: spread(celsius)
      warmest: max(fahrenheit(celsius))
`

// spread is the difference between the greatest and the least value. It keeps both: they are a function of the set of
// values, and so is their difference.
type spread struct{}

func (spread) Cell() string { return "example.com/spread/1" }

func (spread) New() window.Accumulator { return &extremes{} }

func (spread) Result() schema.Type {
	return schema.Type{Kind: schema.KindFloat, Avro: "double", Nullable: true}
}

func (spread) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	e, ok := a.(*extremes)
	if !ok || !e.any {
		return schema.NullValue(), nil
	}
	return schema.FloatValue(e.high - e.low), nil
}

// extremes are the least and the greatest value, if there is any.
type extremes struct {
	any       bool
	low, high float64
}

func (e *extremes) Add(v schema.Value, _ window.Order) error {
	f := v.Float() + 0 // -0 and 0 are equal, and must be the same bytes
	if math.IsNaN(f) {
		return nil // no number, and neither less nor greater than any
	}
	e.take(f, f)
	return nil
}

func (e *extremes) take(low, high float64) {
	if !e.any {
		*e = extremes{true, low, high}
		return
	}
	e.low, e.high = min(e.low, low), max(e.high, high)
}

func (e *extremes) Merge(other window.Accumulator) error {
	o, ok := other.(*extremes)
	if !ok {
		return errors.New("spread: merged with another aggregate")
	}
	if o.any {
		e.take(o.low, o.high)
	}
	return nil
}

func (e *extremes) Append(dst []byte) []byte {
	if !e.any {
		return dst
	}
	dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(e.low))
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(e.high))
}

func (e *extremes) Decode(src []byte) error {
	*e = extremes{}
	if len(src) == 0 {
		return nil
	}
	if len(src) != 16 {
		return fmt.Errorf("spread: %d bytes, not 16", len(src))
	}
	low, high := math.Float64frombits(binary.BigEndian.Uint64(src)), math.Float64frombits(binary.BigEndian.Uint64(src[8:]))
	if !(low <= high) || low == 0 && math.Signbit(low) || high == 0 && math.Signbit(high) {
		return errors.New("spread: bytes that it never writes")
	}
	*e = extremes{true, low, high}
	return nil
}

func (e *extremes) Bytes() int64 { return 24 }

// ours are the program's own aggregate and function.
func ours() pipeline.Extensions {
	double := schema.Type{Kind: schema.KindFloat, Avro: "double"}
	return pipeline.Extensions{
		Aggregates: []window.Definition{{Name: "spread", Params: "(value)", New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
			if in.Kind != schema.KindFloat {
				return nil, fmt.Errorf("spread is of numbers, not of %s", in)
			}
			return spread{}, nil
		}}},
		Functions: map[string]expr.Function{"fahrenheit": {Args: []schema.Type{double}, Result: double,
			Call: func(args []schema.Value) (schema.Value, error) {
				return schema.FloatValue(args[0].Float()*9/5 + 32), nil
			}}},
	}
}

// plan compiles the pipeline, with its schema in a folder of its own.
func plan() (*pipeline.Plan, error) {
	dir, err := os.MkdirTemp("", "weather")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "readings.avsc"), []byte(exampleSchema), 0o600); err != nil {
		return nil, err
	}
	p, err := pipeline.ParseWith(filepath.Join(dir, "weather.yaml"), []byte(examplePipeline), os.LookupEnv, ours())
	if err != nil {
		return nil, err
	}
	return p.Compile()
}

// feed sends a reading, in JSON, to the partition.
func feed(d *streamtest.Driver, partition int32, reading string) {
	value, err := d.Encode(0, []byte(reading))
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := d.Feed(0, partition, value)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcome)
}

// show prints what was published.
func show(p *pipeline.Plan, d *streamtest.Driver) {
	for _, r := range d.Rows() {
		fmt.Print(p.Codecs[0].FormatKey(r.Key), " ", time.UnixMilli(r.Start).UTC().Format(time.RFC3339))
		for i, v := range r.Values {
			fmt.Print(" ", p.Outputs[0].Aggs[i].Name, "=", p.Codecs[0].FormatValue(i, v))
		}
		fmt.Println()
	}
}

// A pipeline is run in memory: records go in, event time advances, rows come out.
func ExampleDriver() {
	p, err := plan()
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := streamtest.NewDriver(p, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	feed(d, 0, `{"station": "oslo", "number": 1, "at": "2013-01-09T10:05:00Z", "celsius": -4.5}`)
	feed(d, 0, `{"station": "oslo", "number": 2, "at": "2013-01-09T10:25:00Z", "celsius": 1.5}`)
	feed(d, 0, `{"station": "oslo", "number": 2, "at": "2013-01-09T10:25:00Z", "celsius": 1.5}`)
	if err := d.Advance(time.Date(2013, 1, 9, 11, 0, 0, 0, time.UTC).UnixMilli()); err != nil {
		fmt.Println(err)
	}
	feed(d, 0, `{"station": "oslo", "number": 3, "at": "2013-01-09T10:45:00Z", "celsius": -10}`)
	show(p, d)

	// What reconciling makes of it: all events count, whenever they came.
	truth, err := d.Batch(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("reconciled: spread", p.Codecs[0].FormatValue(1, truth[0].Values[1]))
	// Output:
	// aggregated
	// aggregated
	// duplicate
	// late
	// oslo 2013-01-09T10:00:00Z readings=2 spread=6 warmest=34.7
	// reconciled: spread 11.5
}

// From a snapshot any number of drivers go on, each its own way.
func ExampleDriver_Snapshot() {
	p, err := plan()
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := streamtest.NewDriver(p, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	feed(d, 0, `{"station": "oslo", "number": 1, "at": "2013-01-09T10:05:00Z", "celsius": -4.5}`)
	before, err := d.Snapshot()
	if err != nil {
		fmt.Println(err)
		return
	}
	feed(d, 0, `{"station": "oslo", "number": 2, "at": "2013-01-09T10:25:00Z", "celsius": 20}`)
	if err := d.Restore(before); err != nil {
		fmt.Println(err)
		return
	}
	feed(d, 0, `{"station": "oslo", "number": 2, "at": "2013-01-09T10:25:00Z", "celsius": 2}`)
	if err := d.End(); err != nil {
		fmt.Println(err)
		return
	}
	show(p, d)
	// Output:
	// aggregated
	// aggregated
	// aggregated
	// oslo 2013-01-09T10:00:00Z readings=2 spread=6.5 warmest=35.6
}

// An aggregate of one's own keeps the law of the set (L1) if windowtest finds nothing.
func TestAnAggregateOfOnesOwn(t *testing.T) {
	windowtest.Aggregate(t, spread{}, func(r *rand.Rand) schema.Value {
		return schema.FloatValue(math.Trunc(r.NormFloat64() * 3))
	})
}

// A driver that was restored goes on as the one that the snapshot was taken of: rows, state, counters, and crashes too.
func TestARestoredDriverGoesOnAlike(t *testing.T) {
	p, err := plan()
	if err != nil {
		t.Fatal(err)
	}
	one, other := sound(streamtest.NewDriver(p, 3))(t), sound(streamtest.NewDriver(p, 3))(t)
	send := func(d *streamtest.Driver, from, to int) {
		for n := from; n < to; n++ {
			at := time.Date(2013, 1, 9, 10, n%100, 0, 0, time.UTC)
			value := sound(d.Encode(0, fmt.Appendf(nil, `{"station": "oslo", "number": %d, "at": %q, "celsius": %d}`, n%70, at.Format(time.RFC3339), n%17)))(t)
			if _, err := d.Feed(0, 0, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(one, 0, 90)
	s := sound(one.Snapshot())(t)
	send(other, 0, 5) // forgotten by Restore
	if err := other.Restore(s); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*streamtest.Driver{one, other} {
		send(d, 90, 200)
		if err := d.Crash(0); err != nil {
			t.Fatal(err)
		}
		if err := d.End(); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := fmt.Sprint(one.Rows(), one.Counters(), one.Reports()), fmt.Sprint(other.Rows(), other.Counters(), other.Reports()); a != b || len(one.Rows()) == 0 {
		t.Errorf("one %s\nother %s", a, b)
	}
	for task := range one.Tasks() {
		if string(one.State(task)) != string(other.State(task)) {
			t.Errorf("the states of task %d differ", task)
		}
	}
	if err := sound(streamtest.NewDriver(p, 2))(t).Restore(s); err == nil {
		t.Error("restored into a driver with other partitions")
	}
}

func sound[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

package pipeline

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

const departure = `{"carrier":"AA","flight":7,"tail_number":null,"origin":"JFK","terminal":8,"scheduled_departure":"2013-01-09T14:00:00Z",` +
	`"left_gate":null,"departure_delay":61.5,"distance_km":4000,"status":"DIVERTED","international":true,"fare":"12.50","tags":[],` +
	`"weather":{"wind":1.5,"station":"KJFK"},"_source":"x","sent_at":1}`

// record is a departure as a Kafka value with the Confluent header; replace changes its JSON.
func record(t *testing.T, p *Plan, replace ...string) []byte {
	t.Helper()
	value := binary.BigEndian.AppendUint32([]byte{0}, 12)
	value, err := p.Sources[0].Schema.AppendJSON(value, []byte(strings.NewReplacer(replace...).Replace(departure)))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// take decodes a record of the first source and evaluates it, where no rule says otherwise.
func take(e *Eval, value []byte) error {
	if err := e.Decode(0, value); err != nil {
		return err
	}
	return only(e)
}

// only evaluates the only element of what has been decoded.
func only(e *Eval) error {
	fate, err := e.Element(0)
	if err == nil && fate.Outcome != Keep {
		return fmt.Errorf("rule %d has %s the event", fate.Rule, fate.Outcome)
	}
	return err
}

func complete(t *testing.T) *Plan {
	t.Helper()
	return compile(t, load(t, "testdata/good/complete.yaml"))
}

// TestEval: what is filled in for one record (invariant 7).
func TestEval(t *testing.T) {
	p := complete(t)
	e := p.NewEval()
	if err := take(e, record(t, p)); err != nil {
		t.Fatal(err)
	}
	const at = 1357740000000
	if e.Event.Time != at || e.Event.SchemaID != 12 || e.Input.Time != at || !e.Input.HasID || !e.Landable() {
		t.Errorf("event %+v, input %+v", e.Event, e.Input)
	}
	want := [][]schema.Value{
		{schema.BoolValue(true), schema.BoolValue(true), schema.FloatValue(61.5), schema.IntValue(7), schema.IntValue(4000), schema.FloatValue(4000 * 0.621371)},
		{schema.FloatValue(1.5), schema.BoolValue(true)},
	}
	for i := range want {
		for j, v := range want[i] {
			if got := e.Input.Args[i][j]; got.Kind != v.Kind || got.Num != v.Num {
				t.Errorf("output %d, argument %d is %v, want %v", i, j, got, v)
			}
		}
	}
	if got := p.Codecs[0].FormatKey(e.Input.Keys[0]); got != "JFK" {
		t.Errorf("key of output 0 is %s", got)
	}
	if got := p.Codecs[1].FormatKey(e.Input.Keys[1]); got != "AA,JFK,14,KJFK" {
		t.Errorf("key of output 1 is %s", got)
	}
	if got, want := e.PartitionOf(4), curated.Partition([]byte("JFK"), 4); got != want {
		t.Errorf("partition %d, want %d", got, want)
	}
	if err := take(e, record(t, p, "61.5", "null")); err != nil {
		t.Fatal(err)
	}
	if got := e.Input.Args[0]; got[0].Bool() || !got[2].IsNull() {
		t.Errorf("with a null delay the arguments are %v", got)
	}
}

// TestPayload: the lake's form of a record gives the same as Kafka's (law L1: the lane makes no difference).
func TestPayload(t *testing.T) {
	p := complete(t)
	stream, batch := p.NewEval(), p.NewEval()
	value := record(t, p)
	if err := errors.Join(take(stream, value), batch.DecodePayload(0, 12, value[5:]), only(batch)); err != nil {
		t.Fatal(err)
	}
	if stream.Input.ID != batch.Input.ID || stream.Input.Time != batch.Input.Time {
		t.Error("the lanes identify an event differently")
	}
	for i := range stream.Input.Keys {
		if !bytes.Equal(stream.Input.Keys[i], batch.Input.Keys[i]) {
			t.Errorf("output %d: the lanes differ in its key", i)
		}
	}
}

// TestIdentity: fields that the pipeline doesn't read make no difference, those that it reads do.
func TestIdentity(t *testing.T) {
	p := complete(t)
	e := p.NewEval()
	id := func(replace ...string) [16]byte {
		if err := take(e, record(t, p, replace...)); err != nil {
			t.Fatal(err)
		}
		return e.Input.ID
	}
	base := id()
	if id(`"sent_at":1`, `"sent_at":2`) != base {
		t.Error("a field that isn't read makes another event")
	}
	if id("61.5", "61.25") == base || id("14:00:00Z", "14:00:00.001Z") == base || id(`"flight":7`, `"flight":8`) == base {
		t.Error("another value, time or id makes no other event")
	}
}

// TestEvalErrors: what each bad record gives, and whether it has a place in the lake.
func TestEvalErrors(t *testing.T) {
	p := complete(t)
	good := record(t, p)
	unknown := append([]byte{0, 0, 0, 0, 99}, good[5:]...)
	for name, c := range map[string]struct {
		value    []byte
		reason   string
		landable bool
	}{
		"null":           {nil, schema.ReasonNullValue, false},
		"no header":      {[]byte{1, 0, 0, 0, 12, 0}, schema.ReasonBadHeader, false},
		"truncated":      {good[:len(good)-1], schema.ReasonTruncated, false},
		"trailing bytes": {append(bytes.Clone(good), 0), schema.ReasonTrailingBytes, false},
		"long key":       {record(t, p, "KJFK", strings.Repeat("x", window.KeyMax)), ReasonKeyTooLong, true},
	} {
		e := p.NewEval()
		err := take(e, c.value)
		var bad *schema.RecordError
		if !errors.As(err, &bad) || bad.Reason != c.reason || e.Landable() != c.landable {
			t.Errorf("%s: %v, landable %v", name, err, e.Landable())
		}
	}
	e := p.NewEval()
	var notKnown *schema.UnknownSchemaError
	if err := take(e, unknown); !errors.As(err, &notKnown) || notKnown.ID != 99 || e.Landable() {
		t.Errorf("unknown schema: %v, landable %v", err, e.Landable())
	}
	if err := take(e, good); err != nil || !e.Landable() {
		t.Errorf("after a bad record a good one fails: %v", err)
	}
}

// TestExpressionError: the event is filled in nevertheless, so that the record lands in its hour.
func TestExpressionError(t *testing.T) {
	p := variant(t, "sum(distance_km)", "sum(flight / distance_km)")
	e := p.NewEval()
	err := take(e, record(t, p, "4000", "0"))
	var bad *schema.RecordError
	if !errors.As(err, &bad) || bad.Reason != schema.ReasonExpression || !e.Landable() || e.Event.Time != 1357740000000 {
		t.Errorf("error %v, landable %v, event %+v", err, e.Landable(), e.Event)
	}
	if got := e.PartitionOf(4); got != 1 {
		t.Errorf("its partition is %d", got)
	}
}

// TestPartitionOf: several fields are joined by '|', numbers are decimal, and a null has no partition.
func TestPartitionOf(t *testing.T) {
	p := variant(t, "key: [origin]", "key: [terminal, origin]", "group_by: [origin]", "group_by: [origin, terminal]",
		"group_by: [carrier, origin,", "group_by: [carrier, origin, terminal,")
	e := p.NewEval()
	if err := take(e, record(t, p)); err != nil {
		t.Fatal(err)
	}
	if got, want := e.PartitionOf(1000), curated.Partition([]byte("8|JFK"), 1000); got != want {
		t.Errorf("partition %d, want %d", got, want)
	}
	if err := take(e, record(t, p, `"terminal":8`, `"terminal":null`)); err != nil {
		t.Fatal(err)
	}
	if got := e.PartitionOf(1000); got != -1 {
		t.Errorf("a null key has partition %d", got)
	}
}

// TestSharedKeys: outputs with one group have one key, in one buffer.
func TestSharedKeys(t *testing.T) {
	p := variant(t, "group_by: [carrier, origin, hour_of_day, weather.station]", "group_by: [origin]")
	e := p.NewEval()
	if err := take(e, record(t, p)); err != nil {
		t.Fatal(err)
	}
	if &e.Input.Keys[0][0] != &e.Input.Keys[1][0] || !bytes.Equal(e.Input.Keys[0], e.Input.Keys[1]) {
		t.Errorf("keys %x and %x", e.Input.Keys[0], e.Input.Keys[1])
	}
}

// TestEvalFeedsTheEngine: the plan's outputs, codecs and inputs fit the window engine.
func TestEvalFeedsTheEngine(t *testing.T) {
	p := complete(t)
	engine, err := window.NewEngine(p.Outputs, nil, window.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := p.NewEval()
	for _, delay := range []string{"61.5", "null", "1.5", "61.5"} {
		if err := take(e, record(t, p, "61.5", delay)); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Add(&e.Input, window.NoWatermark); err != nil {
			t.Fatal(err)
		}
	}
	rows := 0
	err = engine.Close(math.MaxInt64, func(r *window.Result) error {
		rows++
		if r.Output == 0 && (r.Events != 3 || r.Duplicates != 1 || r.Values[3].Float() != 31.5 || p.Codecs[0].FormatKey(r.Key) != "JFK") {
			t.Errorf("result %+v", r)
		}
		return nil
	})
	if err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// plain is a plan without expressions to evaluate.
func plain(t testing.TB) *Plan {
	t.Helper()
	p, err := Load("testdata/good/minimal.yaml", testEnv)
	if err != nil {
		t.Fatal(err)
	}
	p.Source.EventID = []string{"carrier", "flight"}
	p.Outputs[0].Aggregate = append(p.Outputs[0].Aggregate, Aggregate{"mean_delay", "mean(departure_delay)"}, Aggregate{"distance", "sum(distance_km)"})
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestPlainFieldsDoNotAllocate: a record of whose fields none goes through CEL costs no allocation.
func TestPlainFieldsDoNotAllocate(t *testing.T) {
	p := plain(t)
	e, value := p.NewEval(), record(t, p)[5:]
	sum := int32(0)
	if n := testing.AllocsPerRun(1000, func() {
		if err := take(e, value); err != nil {
			t.Fatal(err)
		}
		sum += e.PartitionOf(4)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEval(b *testing.B) {
	p := plain(b)
	value, err := p.Sources[0].Schema.AppendJSON(nil, []byte(departure))
	if err != nil {
		b.Fatal(err)
	}
	e := p.NewEval()
	b.ReportAllocs()
	for b.Loop() {
		if err := take(e, value); err != nil {
			b.Fatal(err)
		}
	}
}

// An event of the zero time of Go and .NET lies in a week that begins in the year 0: it is landable, and invalid.
func TestWindowOutOfRange(t *testing.T) {
	const hour, week = 3_600_000, 7 * 24 * 3_600_000
	for _, c := range []struct {
		size int64
		at   string
		bad  bool
	}{
		{hour, "0001-01-01T00:00:00Z", false},
		{week, "0001-01-01T00:00:00Z", true},
		{hour, "9999-12-31T23:30:00Z", false},
		{week, "9999-12-31T23:30:00Z", true},
	} {
		p := complete(t)
		for i := range p.Outputs {
			p.Outputs[i].Size = c.size
		}
		e := p.NewEval()
		err := take(e, record(t, p, "2013-01-09T14:00:00Z", c.at))
		var bad *schema.RecordError
		if found := errors.As(err, &bad) && bad.Reason == ReasonWindowOutOfRange; found != c.bad || !e.Landable() {
			t.Errorf("windows of %d ms at %s: %v, landable %t", c.size, c.at, err, e.Landable())
		}
	}
}

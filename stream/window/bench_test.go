package window

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// discard takes what Write writes.
type discard struct{ bytes int64 }

func (d *discard) Set(k, v []byte) error         { d.bytes += int64(len(k) + len(v)); return nil }
func (d *discard) Delete([]byte) error           { return nil }
func (d *discard) DeleteRange(_, _ []byte) error { return nil }

const minute = 60_000

var (
	double = schema.Type{Kind: schema.KindFloat, Avro: "double"}
	long   = schema.Type{Kind: schema.KindInt, Avro: "long"}
	truth  = schema.Type{Kind: schema.KindBool, Avro: "boolean"}
)

// load is a stream of events: 100,000 keys at random, one-minute windows, 1,000,000 events a minute. As in
// production there is one Input, whose slices are filled again and again.
type load struct {
	in     Input
	keys   []byte // every key, then the keys of the events one after another
	values []float64
}

const (
	loadKeys   = 100_000
	loadEvents = 1 << 20
	loadKeyLen = 12
)

func newLoad(hasID bool) *load {
	r := rand.New(rand.NewPCG(1, 2))
	l := &load{in: Input{HasID: hasID, Keys: make([][]byte, 1), Args: [][]schema.Value{make([]schema.Value, 2)}}}
	for i := range loadKeys {
		l.keys = fmt.Appendf(l.keys, "\x16k%010d", i)
	}
	for range loadEvents {
		l.keys = append(l.keys, l.key(r.IntN(loadKeys))...)
		l.values = append(l.values, float64(r.IntN(1_000_000))/100)
	}
	return l
}

func loadOutput() []Output {
	return []Output{{Name: "o", Size: minute, Lateness: 5_000, Aggs: []Agg{
		{Name: "n", Func: Count, Arg: -1}, {Name: "sum", Func: Sum, Arg: 0, In: double},
		{Name: "max", Func: Max, Arg: 0, In: double}, {Name: "total", Func: Sum, Arg: 1, In: long},
	}}}
}

// event is event number i of the stream.
func (l *load) event(i int) *Input {
	at := i % loadEvents
	l.in.Time = int64(i) * minute / 1_000_000
	l.in.Keys[0] = l.key(loadKeys + at)
	l.in.Args[0][0] = schema.FloatValue(l.values[at])
	l.in.Args[0][1] = schema.IntValue(int64(at & 1023))
	if l.in.HasID {
		binary.BigEndian.PutUint64(l.in.ID[:], uint64(i)*0x9e3779b97f4a7c15)
		binary.BigEndian.PutUint64(l.in.ID[8:], uint64(i)*0xbf58476d1ce4e5b9+1)
	}
	return &l.in
}

func (l *load) key(i int) []byte { return l.keys[i*loadKeyLen : (i+1)*loadKeyLen] }

// cpu is the processor time of this process: what other work on the machine doesn't spoil.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func benchmarkAdd(b *testing.B, hasID bool, overlap int64) {
	l := newLoad(hasID)
	outputs := loadOutput()
	outputs[0].Every = outputs[0].Size / overlap
	e, err := NewEngine(outputs, nil, EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	results := 0
	step := func(i int) {
		in := l.event(i)
		if v, err := e.Add(in, NoWatermark); err != nil || v.Outcome != Aggregated {
			b.Fatal(v, err)
		}
	}
	const warm = 1_200_000
	for i := range warm {
		step(i)
	}
	b.ReportAllocs()
	i := warm
	spent, began := int64(0), cpu(b)
	for b.Loop() {
		step(i)
		if i++; i%1_000_000 == 100_000 { // the window before has ended
			b.StopTimer()
			spent += cpu(b) - began
			e.closed = NoWatermark // so that the load needs no watermark of its own
			if err := e.Close(int64(i)*minute/1_000_000-5_000, func(*Result) error { results++; return nil }); err != nil {
				b.Fatal(err)
			}
			e.closed = NoWatermark
			began = cpu(b)
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(spent+cpu(b)-began)/float64(i-warm), "cpu-ns/op")
	b.ReportMetric(float64(e.Memory())/(1<<20), "MiB")
}

func BenchmarkAdd(b *testing.B)      { benchmarkAdd(b, false, 1) }
func BenchmarkAddDedup(b *testing.B) { benchmarkAdd(b, true, 1) }

// BenchmarkAddHopping is an event into 4 windows.
func BenchmarkAddHopping(b *testing.B) { benchmarkAdd(b, true, 4) }

// BenchmarkWrite is one dirty group of 100,000, to a Writer that does nothing.
func BenchmarkWrite(b *testing.B) {
	l := newLoad(false)
	e, err := NewEngine(loadOutput(), nil, EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	w := &discard{}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%loadKeys == 0 {
			b.StopTimer()
			for i := range loadKeys {
				in := l.event(i)
				in.Time, in.Keys[0] = 0, l.key(i)
				if _, err := e.Add(in, NoWatermark); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			if err := e.Write(w); err != nil {
				b.Fatal(err)
			}
		}
		n++
	}
	b.ReportMetric(float64(w.bytes)/float64(n), "bytes/group")
}

// BenchmarkClose is one result of a window with 100,000 groups.
func BenchmarkClose(b *testing.B) {
	l := newLoad(false)
	n := 0
	b.ReportAllocs()
	e, err := NewEngine(loadOutput(), nil, EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	at := int64(0)
	for b.Loop() {
		if n%loadKeys == 0 {
			b.StopTimer()
			for i := range loadKeys {
				in := l.event(i)
				in.Time, in.Keys[0] = at, l.key(i)
				if _, err := e.Add(in, at-1); err != nil {
					b.Fatal(err)
				}
			}
			at += 2 * minute
			b.StartTimer()
			if err := e.Close(at-1, func(*Result) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		n++
	}
}

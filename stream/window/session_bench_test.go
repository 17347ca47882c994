package window

import (
	"math/rand/v2"
	"testing"
)

// benchmarkSessions adds events of 100,000 keys at random, 1,000,000 events a minute, to sessions of a gap (ms) in
// days. With 1 s most sessions have one event; with 60 s most keys stay open.
func benchmarkSessions(b *testing.B, gap int64, hasID bool) {
	outputs := loadOutput()
	outputs[0].Size, outputs[0].Gap = 86_400_000, gap
	e, err := NewEngine(outputs, nil, EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	l := newLoad(hasID)
	r := rand.New(rand.NewPCG(1, 3))
	results := 0
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu(b)
	for i := range b.N {
		in := l.event(i)
		at := int64(i) * minute / 1_000_000
		in.Time = max(at-r.Int64N(1_000), e.closed)
		if _, err := e.Add(in, e.closed); err != nil {
			b.Fatal(err)
		}
		if i%10_000 == 0 {
			if err := e.Close(at-2_000, func(*Result) error { results++; return nil }); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(results)/float64(b.N), "sessions/op")
	b.ReportMetric(float64(e.Memory())/(1<<20), "MiB")
}

func BenchmarkSessionsShort(b *testing.B) { benchmarkSessions(b, 1_000, false) }
func BenchmarkSessionsLong(b *testing.B)  { benchmarkSessions(b, 60_000, false) }
func BenchmarkSessionsDedup(b *testing.B) { benchmarkSessions(b, 60_000, true) }

// BenchmarkSessionsOneGroup is a group with many open sessions, in no order, as the reconciler may read it.
func BenchmarkSessionsOneGroup(b *testing.B) {
	outputs := loadOutput()
	outputs[0].Size, outputs[0].Gap = 86_400_000, 1_000
	e, err := NewEngine(outputs, nil, EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	l := newLoad(false)
	r := rand.New(rand.NewPCG(1, 3))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		in := l.event(0)
		in.Time = r.Int64N(43_200) * 2_000
		if _, err := e.Add(in, NoWatermark); err != nil {
			b.Fatal(err)
		}
		if i == b.N-1 {
			b.ReportMetric(float64(e.OpenWindows()[0]), "sessions")
		}
	}
}

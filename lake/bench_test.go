package lake_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// benchEvents are 172-byte payloads over one hour, as of the project's
// reference workload.
func benchEvents(n int) []event {
	events := make([]event, n)
	id := fmt.Sprintf("%0160d", 0)
	for i := range events {
		events[i] = reading(0, int64(i), hour7+int64(i)%hourMs, id)
		events[i].record.Key = []byte("key-00042")
	}
	return events
}

// cpuTime is what the process has used of all processors: unlike the elapsed
// time it says the same on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// perEvent reports processor time and events a processor-second.
func perEvent(b *testing.B, began time.Duration, events int) {
	used := cpuTime(b) - began
	b.ReportMetric(float64(used.Nanoseconds())/float64(events), "cpu-ns/event")
	b.ReportMetric(float64(events)/used.Seconds(), "events/cpu-s")
}

// BenchmarkLand appends, seals, frames, hashes and puts: ns and bytes per
// event, to memory and to a local directory (with its fsyncs).
func BenchmarkLand(b *testing.B) {
	events := benchEvents(10_000)
	for _, store := range []string{"memory", "dir"} {
		b.Run(store, func(b *testing.B) {
			var bucket blob.Bucket = blob.NewMemory()
			if store == "dir" {
				dir, err := blob.OpenDir(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				bucket = dir
			}
			l := openLander(b, openTopic(b, bucket), 0, lake.LanderOptions{BytesMax: 16 << 20, Now: time.Now})
			b.SetBytes(int64(len(events[0].landing.Payload)))
			b.ReportAllocs()
			b.ResetTimer()
			began := cpuTime(b)
			for i := range b.N {
				e := &events[i%len(events)]
				e.record.Offset = int64(i)
				if err := l.Append(&e.record, e.landing); err != nil {
					b.Fatal(err)
				}
				if i&1023 == 1023 && l.Due() {
					landBench(b, l, bucket, store)
				}
			}
			landBench(b, l, bucket, store)
			perEvent(b, began, b.N)
		})
	}
}

// landBench keeps the memory bucket from growing with b.N.
func landBench(b *testing.B, l *lake.Lander, bucket blob.Bucket, store string) {
	land(b, l)
	if store != "memory" {
		return
	}
	b.StopTimer()
	err := bucket.List(context.Background(), "raw/readings/dt", func(o blob.Object) error {
		return bucket.Delete(context.Background(), o.Key)
	})
	if err != nil {
		b.Fatal(err)
	}
	b.StartTimer()
}

// BenchmarkAppend is the part of landing that the task's own goroutine does.
func BenchmarkAppend(b *testing.B) {
	events := benchEvents(10_000)
	l := openLander(b, openTopic(b, blob.NewMemory()), 0, lake.LanderOptions{BytesMax: 16 << 20, Now: time.Now})
	b.SetBytes(int64(len(events[0].landing.Payload)))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		e := &events[i%len(events)]
		e.record.Offset = int64(i)
		if err := l.Append(&e.record, e.landing); err != nil {
			b.Fatal(err)
		}
		if i&1023 == 1023 && l.Due() {
			b.StopTimer()
			land(b, l)
			b.StartTimer()
		}
	}
}

// BenchmarkReadFile reads and verifies one file of 10,000 events.
func BenchmarkReadFile(b *testing.B) {
	events := benchEvents(10_000)
	bucket := blob.NewMemory()
	l := openLander(b, openTopic(b, bucket), 0, lake.LanderOptions{})
	appendAll(b, l, events...)
	land(b, l)
	_, log := readAll(b, bucket, 0)
	file := log.Entries()[0].Files[0]
	b.SetBytes(file.Bytes)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpuTime(b)
	bytes := 0
	for range b.N {
		err := lake.ReadFile(context.Background(), bucket, file, func(s *lake.Stored) error {
			bytes += len(s.Payload)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	perEvent(b, began, b.N*len(events))
}

package reconcile

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRecompute recomputes one unit of 100,000 orders of 1,000 shops from files in memory: reading the files, decoding,
// expressions, deduplication and windows. Its share of a reconciliation is all but the fixed costs of a unit.
func BenchmarkRecompute(b *testing.B) {
	const events = 100_000
	g := newRig(b, setting{})
	orders := make([]order, 0, events)
	for i := 0; i < events; i++ {
		orders = append(orders, order{fmt.Sprint("id-", i), fmt.Sprint("shop-", i%1000), "09:05", "12.25", int64(i % 9)})
	}
	g.send(orders...)
	g.stream()
	r := g.reconciler()
	g.must(r.connected("bench", func() error {
		v, err := r.look(g.ctx)
		if err != nil {
			return err
		}
		k := unitKey{0, msOf("09:00")}
		s := spanOf(&g.plan.Outputs[0], k.hour)
		files, _ := r.filesOf(v, s)
		from := cpuTime(b)
		b.ResetTimer()
		b.ReportAllocs()
		for b.Loop() {
			rc := &recomputer{bucket: r.bucket, plan: g.plan, limit: 1 << 30, unit: k, span: s}
			got, err := rc.run(g.ctx, files)
			if err != nil {
				return err
			}
			if got.acc.aggregated != events || len(got.rows) != 1000 {
				b.Fatalf("%+v, %d rows", got.acc, len(got.rows))
			}
		}
		b.ReportMetric(float64(b.N)*events/(cpuTime(b)-from).Seconds(), "events/cpu-s")
		return nil
	}))
}

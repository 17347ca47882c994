package nexmark

import (
	"testing"

	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// BenchmarkQueries runs each query over the in-memory driver, in one task: what decoding, rules, joins and windows cost,
// without broker, disk and network. Every event counts that the query reads.
func BenchmarkQueries(b *testing.B) {
	log := profile{seed: 1, events: 20_000}.log(b)
	for _, q := range queries {
		b.Run(q, func(b *testing.B) {
			plan := load(b, q)
			events := 0
			b.ReportAllocs()
			for b.Loop() {
				d, err := streamtest.NewDriver(plan, 1)
				must(b, err)
				for _, m := range log {
					for s := range plan.Sources {
						if plan.Sources[s].Topic == m.topic {
							d.Append(s, 0, m.text)
							events++
						}
					}
				}
				must(b, d.End())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}

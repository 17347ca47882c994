package telemetry

import (
	"math"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
)

// collector makes metrics of the board's newest snapshot.
type collector struct{ board *Board }

var _ prometheus.Collector = collector{}

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range families {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	s := c.board.Status()
	if s == nil {
		return
	}
	e := &emitter{out: out, s: s}
	e.gauge(pipelineInfo, 1, s.Fingerprint)
	e.process()
	var total state.Counters
	outputs := map[string]*state.OutputCounters{}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		e.task(t)
		addCounters(&total, outputs, &t.Counters)
	}
	e.totals(&total, outputs)
}

// emitter writes metrics of one snapshot.
type emitter struct {
	out     chan<- prometheus.Metric
	s       *stream.Status
	rekeyed bool // a task reads the repartition topic
}

// emit passes a metric on. One that can't be made (a label that is no UTF-8) fails the scrape, not the process.
func (e *emitter) emit(m prometheus.Metric, err error) {
	if err != nil {
		m = prometheus.NewInvalidMetric(imbalance, err)
	}
	e.out <- m
}

func (e *emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.emit(prometheus.NewConstMetric(d, prometheus.GaugeValue, v, append([]string{e.s.Pipeline}, labels...)...))
}

func (e *emitter) counter(d *prometheus.Desc, v int64, labels ...string) {
	e.emit(prometheus.NewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{e.s.Pipeline}, labels...)...))
}

// histogram takes the counts of each bucket, the last one without a bound, and makes them cumulative.
func (e *emitter) histogram(d *prometheus.Desc, bounds []float64, counts []int64, sum float64, labels ...string) {
	buckets, total := make(map[float64]uint64, len(bounds)), uint64(0)
	for i, n := range counts {
		total += uint64(n)
		if i < len(bounds) {
			buckets[bounds[i]] = total
		}
	}
	e.emit(prometheus.NewConstHistogram(d, total, sum, buckets, append([]string{e.s.Pipeline}, labels...)...))
}

func (e *emitter) process() {
	s := e.s
	for _, result := range []string{"committed", "fenced", "unknown", "failed"} {
		e.counter(commits, s.Commits[result], result)
	}
	e.counter(fenced, s.Commits["fenced"])
	e.counter(rebuilds, s.Rebuilds)
	e.gauge(buffered, float64(s.LandingBytes))
	e.gauge(bucketFailing, truth(s.BucketFailing != ""))
	for _, p := range s.Memory {
		e.gauge(memory, float64(p.Bytes), p.Name)
		e.gauge(memoryLimit, float64(p.Limit), p.Name)
	}
	if !s.LastCommitAt.IsZero() {
		e.gauge(lastCommit, float64(s.LastCommitAt.UnixMilli())/1000)
	}
	bounds := make([]float64, len(stream.CommitBounds))
	for i, b := range stream.CommitBounds {
		bounds[i] = b.Seconds()
	}
	e.histogram(commitTook, bounds, s.CommitTook[:], s.CommitSum.Seconds())
	bounds = make([]float64, len(stream.RestoreBounds))
	for i, b := range stream.RestoreBounds {
		bounds[i] = b.Seconds()
	}
	for _, source := range stream.Sources {
		h := s.Restores[source]
		e.histogram(restoreTook, bounds, h.Took[:], h.Sum.Seconds(), source)
	}
	bounds = make([]float64, len(stream.LatenessBounds))
	for i, b := range stream.LatenessBounds {
		bounds[i] = float64(b) / 1000
	}
	e.histogram(lateness, bounds, s.Lateness[:], 0, topicsOf(s)) // the engine keeps no sum, and NaN would spread
}

// topicsOf names the topics that events come from: the engine keeps one histogram of their lateness.
func topicsOf(s *stream.Status) string {
	for i := range s.Tasks {
		var names []string
		for _, in := range s.Tasks[i].Inputs {
			if !in.Internal {
				names = append(names, in.Topic)
			}
		}
		if len(names) > 0 {
			return strings.Join(names, ",")
		}
	}
	return s.Topic
}

func (e *emitter) task(t *stream.TaskStatus) {
	id := strconv.Itoa(int(t.Task))
	for _, state := range []stream.TaskState{stream.Running, stream.Restoring, stream.Idle, stream.Paused, stream.Stopped} {
		e.gauge(taskState, truth(t.State == state), id, string(state))
	}
	for i := range t.Inputs {
		e.input(t, &t.Inputs[i], id)
		e.rekeyed = e.rekeyed || t.Inputs[i].Internal
	}
	if len(t.Inputs) > 1 {
		e.gauge(joinBuffered, float64(t.Buffered), id)
	}
	e.gauge(stateBytes, float64(t.StateBytes), id)
	e.gauge(stateMemory, float64(t.MemoryBytes), id)
	if c := t.Checkpoint; !c.At.IsZero() {
		e.gauge(checkpointAt, float64(c.At.UnixMilli())/1000, id)
		e.gauge(checkpointTook, c.Took.Seconds(), id)
		e.counter(checkpointBytes, c.BytesUploaded, id)
	}
	switch r := t.Restore; {
	case r != nil:
		e.gauge(replayGap, float64(r.ReplayedTotal-r.Replayed), id)
		e.gauge(restoreProgress, float64(r.Percent())/100, id)
	case !t.Checkpoint.At.IsZero():
		e.gauge(replayGap, float64(t.Checkpoint.Gap), id)
	}
}

func (e *emitter) input(t *stream.TaskStatus, in *stream.InputStatus, id string) {
	e.counter(consumed, in.Consumed, in.Topic, id)
	e.gauge(lag, float64(max(0, in.LastStable-in.Committed)), in.Topic, id, "lso")
	e.gauge(lag, float64(max(0, in.High-in.Committed)), in.Topic, id, "hwm")
	e.gauge(idle, truth(in.Silent && t.State != stream.Stopped), in.Topic, id)
	e.gauge(pending, float64(in.Pending), in.Topic, id)
	if !in.Internal {
		e.gauge(landedLag, float64(max(0, in.Committed-in.Landed)), in.Topic, id)
		if in.Retention > 0 {
			e.gauge(headroom, in.Headroom.Seconds(), in.Topic, id)
		}
	}
	if in.Watermark != math.MinInt64 {
		e.gauge(watermark, float64(in.Watermark)/1000, id, in.Topic, id)
	}
}

func (e *emitter) totals(total *state.Counters, outputs map[string]*state.OutputCounters) {
	for _, o := range []struct {
		outcome string
		n       int64
	}{
		{"aggregated", total.Aggregated}, {"duplicate", total.Duplicate}, {"late", total.Late},
		{"filtered", total.Filtered}, {"invalid", total.Invalid}, {"forwarded", total.Forwarded},
	} {
		e.counter(events, o.n, o.outcome)
	}
	for _, r := range total.Rules {
		e.counter(rules, r.Fired, r.Name)
	}
	if e.rekeyed {
		e.counter(received, total.Received)
	}
	if total.Pairs > 0 {
		e.counter(pairs, total.Pairs)
	}
	e.gauge(imbalance, float64(status.Imbalance(*total)))
	for name, o := range outputs {
		e.counter(missed, o.Missed, name)
		e.counter(windowsClosed, o.Closed, name)
		e.gauge(windowsOpen, float64(o.Open), name)
	}
}

func addCounters(total *state.Counters, outputs map[string]*state.OutputCounters, c *state.Counters) {
	total.Add(c)
	for _, o := range c.Outputs {
		if outputs[o.Name] == nil {
			outputs[o.Name] = &state.OutputCounters{Name: o.Name}
		}
		sum := outputs[o.Name]
		sum.Open, sum.Closed, sum.Missed = sum.Open+o.Open, sum.Closed+o.Closed, sum.Missed+o.Missed
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests counts the requests to the bucket, repetitions included. It is safe for concurrent use.
type Requests struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec
}

// NewRequests counts those of one pipeline.
func NewRequests(pipeline string) *Requests {
	labels, of := []string{"op", "result"}, prometheus.Labels{"pipeline": pipeline}
	return &Requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidemark_bucket_requests_total", ConstLabels: of,
			Help: "Requests to the bucket that have ended, repetitions included: what they cost, and what is wrong.",
		}, labels),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tidemark_bucket_request_duration_seconds", ConstLabels: of,
			Help:    "How long requests to the bucket took.",
			Buckets: []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60},
		}, labels),
	}
}

// Observe takes one request that has ended.
func (r *Requests) Observe(op, result string, took time.Duration) {
	r.total.WithLabelValues(op, result).Inc()
	r.took.WithLabelValues(op, result).Observe(took.Seconds())
}

package telemetry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
)

// Options say what is served besides the board's snapshot.
type Options struct {
	Board *Board
	// Version and Go name the program, for tidemark_build_info.
	Version, Go string
	Now         func() time.Time
	// Requests are those to the bucket; nil if they aren't counted.
	Requests *Requests
}

// Register adds /metrics, /healthz, /readyz and /api/v1/status to mux.
func Register(mux *http.ServeMux, o Options) error {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tidemark_build_info", Help: "Which program runs; always 1.",
		ConstLabels: prometheus.Labels{"version": o.Version, "go": o.Go},
	})
	build.Set(1)
	all := []prometheus.Collector{
		build, collector{o.Board}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	if o.Requests != nil {
		all = append(all, o.Requests.total, o.Requests.took)
	}
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready, why := status.Ready(o.Board.Status(), o.Now())
		if !ready {
			answer(w, http.StatusServiceUnavailable, why)
			return
		}
		answer(w, http.StatusOK, "ready: "+why)
	})
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		d := o.Board.Document()
		if d == nil {
			answer(w, http.StatusServiceUnavailable, "starting: no task has been assigned yet")
			return
		}
		text, err := json.Marshal(d)
		if err != nil {
			answer(w, http.StatusInternalServerError, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		write(w, string(text))
	})
	return nil
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	write(w, text)
}

// write ends an answer. A client that has gone away is no concern of the engine's.
func write(w io.Writer, text string) {
	if _, err := io.WriteString(w, text+"\n"); err != nil {
		return
	}
}

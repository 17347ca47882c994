// Package telemetry tells the running process's state to Prometheus and to probes: /metrics, /healthz, /readyz and
// /api/v1/status. It is the only importer of the Prometheus client; the engine knows nothing of metrics.
//
// Invariants:
//
//  1. Metrics are computed from the newest snapshot when they are asked for. Nothing is counted a second time here, so
//     no metric can disagree with the status page. Requests to the bucket alone are counted here: no snapshot has them.
//  2. A snapshot is copied when it is observed: the engine goes on with its own.
//  3. Base units, _total on counters, no label with keys, event ids or windows.
//
// It shows law L3: tidemark_accounting_imbalance must be 0.
package telemetry

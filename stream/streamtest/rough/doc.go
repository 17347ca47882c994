// Package rough holds tests that treat the real program, on a real Kafka broker, roughly: processes that are stopped and come
// back as zombies, a broker that is killed, a network that loses, delays and resets, processes that come and go, and both
// lanes and the lake's tools at work at once while some of them are killed. It has no code of its own beside its tests.
//
// What decides is the same everywhere: trial's Judge at the end, its Watcher during the faults, and the ledger (ledger_test.go),
// which reads what the group's coordinator has written down: who committed what, in which life of which producer. It proves that
//
//  1. no position ever falls,
//  2. a task is never owned again by a life that has lost it, so that no zombie has committed, and
//  3. a new owner commits only after the last transaction of the one before is decided.
//
// TIDEMARK_LOGS names a directory that keeps what processes print. TIDEMARK_N sets how many rounds a test does, TIDEMARK_SEED what draws them, TIDEMARK_WORLDS how many brokers with a pipeline
// each go side by side: waiting for timeouts costs no work. `make rough KIND=... N=...` does so.
//
// It proves L2, L3, L4 and L5 where they rest on Kafka's fences: a decision, a position and a result are there together or
// not at all, by whoever owns the task.
package rough

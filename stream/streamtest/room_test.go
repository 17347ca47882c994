package streamtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// Ten times more waits to be landed than the budget holds: tasks, and landers that catch up side by side, make room and go
// on, and every record lies in the lake once.
func TestLittleRoomToLandIn(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Set.Landing = 1 // the least that there is: 1 MiB
	log := small(61).Log()
	for i := range 600 {
		customer := []string{"c1", "c2", "c3", "c5"}[i%4]
		log = append(log, streamtest.Message{Key: customer, Value: streamtest.BigOrder(customer, 20_000)})
	}
	w.Produce(log)
	if sum := w.Stream(); sum.Counters.Consumed != int64(len(log)) || !sum.Balanced() {
		t.Fatalf("accounting: %+v", sum.Counters)
	}
	w.CheckLake("orders", int64(len(log)))

	// The topic's lake is lost: the landers begin again where the topic does, and catch up before the tasks go on.
	if err := os.RemoveAll(filepath.Join(w.Dir, "lake", "raw", "orders")); err != nil {
		t.Fatal(err)
	}
	w.Bucket = nil // its directories are gone: opened anew
	w.Load()
	w.Stream()
	w.CheckLake("orders", int64(len(log)))
	proveCorrected(t, w, log, true)
}

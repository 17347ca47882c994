package streamtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// world is the orders pipeline, with what only the tests of this package do to it.
type world struct{ *trial.World }

func newWorld(t *testing.T, brokers []string, set trial.Settings) *world {
	t.Helper()
	return &world{trial.New(t, brokers, set)}
}

// shape is a pipeline of another shape, likewise.
type shape struct{ *trial.Shape }

func newShape(t *testing.T, brokers []string, name string) *shape {
	t.Helper()
	return &shape{trial.NewShape(t, brokers, name)}
}

// fakeBroker starts the embedded broker in memory.
func fakeBroker(t *testing.T) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

// cancelable is a context that ends with the test, or in two minutes.
func cancelable(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 2*time.Minute)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package state_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// The life of a task's state: commits, a checkpoint, a disk that is lost, and
// the checkpoint in its place.
func Example() {
	ctx, bucket := context.Background(), blob.NewMemory()
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	sh, err := state.NewShared(state.SharedOptions{FS: statetest.NewMem()})
	must(err)
	s, err := state.Open("flights/2", sh)
	must(err)
	cut := &state.Cut{
		Version: state.CutVersion, Pipeline: "flights", Task: 2, Fingerprint: "0a1b2c", Bound: state.NoBound,
		Sources:  []state.Source{{Topic: "departures", Partition: 2, Partitions: 4, Next: 10}},
		Counters: state.Counters{Consumed: 10, Aggregated: 9, Late: 1},
	}
	must(s.Apply(cut, func(b state.Batch) error { return b.Set(windowKey(1, 0), []byte("value")) }))
	_, stats, err := s.Checkpoint(ctx, bucket, state.CheckpointOptions{Prefix: "checkpoints/flights/2", Now: time.Now})
	must(err)
	fmt.Println("uploaded all:", stats.FilesUploaded > 0)
	must(s.Close())

	names, err := state.Manifests(ctx, bucket, "checkpoints/flights/2")
	must(err)
	fmt.Println("newest at", names[0].Next, "journal", names[0].Journal)
	m, err := state.LoadManifest(ctx, bucket, names[0].Key)
	must(err)
	aside, err := state.SetAside("flights/2", "its disk was replaced", sh)
	must(err)
	fmt.Println("set aside as", aside)
	must(state.Restore(ctx, bucket, "checkpoints/flights/2", m, "flights/2", sh))
	s, err = state.Open("flights/2", sh)
	must(err)
	value, _, err := s.Get(windowKey(1, 0))
	must(err)
	fmt.Printf("restored: %s\n", value)
	must(s.Close())
	must(state.Check("flights/2", sh, func(f state.Fault) { fmt.Println(f) }))
	must(sh.Close())
	// Output:
	// uploaded all: true
	// newest at [10] journal 0
	// set aside as flights/2.aside-1
	// restored: value
}

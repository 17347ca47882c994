package lake_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// A task lands what it reads and anybody reads it back, by the log.
func Example() {
	ctx := context.Background()
	bucket := blob.NewMemory()
	topic, err := lake.OpenTopic(ctx, bucket, declaration())
	if err != nil {
		fmt.Println(err)
		return
	}
	lander, err := topic.Lander(ctx, 0, lake.LanderOptions{Now: time.Now, FirstOffset: 40})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lander.Close()

	datum := payload("sensor-1", hour7, 21)
	err = lander.Append(&lake.Record{Offset: 40, Value: datum}, lake.Landing{Time: hour7, Payload: datum})
	if err != nil {
		fmt.Println(err)
		return
	}
	lander.Advance(42)                                      // a transaction's marker is at 41
	if err := lander.Land(ctx, lander.Seal()); err != nil { // when lander.Due()
		fmt.Println(err)
		return
	}

	log := topic.Log(0)
	if err := log.Refresh(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, entry := range log.Entries() {
		for _, file := range entry.Files {
			err := lake.ReadFile(ctx, bucket, file, func(s *lake.Stored) error {
				fmt.Printf("%s offset %d: %d bytes\n", file.Hour, s.Offset, len(s.Payload))
				return nil
			})
			if err != nil {
				fmt.Println(err)
			}
		}
	}
	fmt.Println("landed up to", log.End())
	// Output:
	// dt=2013-01-05/hr=07 offset 40: 16 bytes
	// landed up to 42
}

package join_test

import (
	"crypto/sha256"
	"fmt"
	"log"

	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Bids are joined with the auction that began at most ten seconds before. All state is in memory.
func ExampleInterval() {
	op, err := join.NewInterval(join.IntervalOptions{Lower: 0, Upper: 10_000, Lateness: 1_000}, nil)
	if err != nil {
		log.Fatal(err)
	}
	emit := func(p *join.Pair) error {
		fmt.Printf("%s and %s at %d ms\n", p.Left, p.Right, p.Time)
		return nil
	}
	add := func(side join.Side, t int64, row string, watermark int64) {
		sum := sha256.Sum256([]byte(row))
		v, err := op.Add(side, []byte("auction 7"), t, [16]byte(sum[:]), true, []byte(row), watermark, emit)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(row, "is", v.Outcome)
	}
	add(join.Right, 5_000, "bid of 20", window.NoWatermark)
	add(join.Left, 1_000, "auction", window.NoWatermark)
	add(join.Right, 5_000, "bid of 20", 5_000)
	if err := op.Close(5_000, emit); err != nil {
		log.Fatal(err)
	}
	add(join.Right, 4_000, "bid of 10", 5_000)
	// Output:
	// bid of 20 is aggregated
	// auction and bid of 20 at 5000 ms
	// auction is aggregated
	// bid of 20 is duplicate
	// bid of 10 is late
}

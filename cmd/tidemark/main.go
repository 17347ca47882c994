// Command tidemark computes windowed results from Kafka topics exactly once, lands every raw event in a lake,
// and corrects what came late or twice.
//
// One file per command; root.go holds the flags that all of them share, exit.go the one mapping from errors to exit
// codes. A command wires packages together and prints; what it knows about streams, it asks them.
package main

import (
	"context"
	"os"
)

func main() {
	ctx, stop := withSignals(context.Background())
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

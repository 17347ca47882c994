package aggregates

import "github.com/tidemark-io/tidemark/stream/window"

// Definitions are the built-in aggregates of this package, sorted by name.
func Definitions() []window.Definition { return nil }

package window

import "github.com/tidemark-io/tidemark/stream/window/backingtest"

var (
	_ Backing = (*backingtest.Store)(nil)
	_ Writer  = (*backingtest.Batch)(nil)
)

// apply writes the engine's changes as one batch: none of them is seen before Write has returned.
func apply(back *backingtest.Store, e *Engine) error {
	var batch backingtest.Batch
	if err := e.Write(&batch); err != nil {
		return err
	}
	back.Apply(&batch)
	return nil
}

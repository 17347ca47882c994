package join

import (
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

var (
	_ window.Backing = (*backingtest.Store)(nil)
	_ window.Writer  = (*backingtest.Batch)(nil)
)

// apply writes the operator's changes as one batch: none of them is seen before Write has returned.
func apply(back *backingtest.Store, op Operator) error {
	var batch backingtest.Batch
	if err := op.Write(&batch); err != nil {
		return err
	}
	back.Apply(&batch)
	return nil
}

package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// fenceKey is a name of the bucket's own (a segment with a leading dot is no key), so that it is never listed.
const fenceKey = ".tidemark/put-if-absent"

// prove finds out, once, whether the server refuses to put what is there: put-if-absent is the lake's only fence, and a
// server that doesn't know the condition ignores it. The object stays, so that the next process needs one request.
func (b *bucket) prove(ctx context.Context) error {
	if b.proven.Load() {
		return nil
	}
	select {
	case b.proving <- struct{}{}:
		defer func() { <-b.proving }()
	case <-ctx.Done():
		return fmt.Errorf("put if absent: %w", ctx.Err())
	}
	if b.proven.Load() {
		return nil
	}
	for range 2 {
		err := b.put(ctx, fenceKey, [][]byte{[]byte("Tidemark asks by this object whether put-if-absent holds here. Leave it in place.\n")}, true)
		if errors.Is(err, blob.ErrExists) {
			b.proven.Store(true)
			return nil
		}
		if err != nil {
			return fmt.Errorf("find out whether put-if-absent holds: %w", err)
		}
	}
	return fmt.Errorf("bucket %s can't be used: it put %s twice although it was to be put only if absent (If-None-Match), so two writers would overwrite each other; "+
		"use a store that honours conditional writes (AWS S3, Google Cloud Storage and Azure do)", b.address, fenceKey)
}

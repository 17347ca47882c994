package cloud

import (
	"context"
	"errors"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Request is one request to a bucket that has ended.
type Request struct {
	Op      string // open, put, put-if-absent, get, get-range, list, delete
	Result  string // ok, exists, not-found, denied, busy, lost, full, cancelled, failed
	Attempt int    // 1, or more for a repetition
	Bytes   int64  // carried, either way; 0 if it failed
	Took    time.Duration
}

// result puts an error into one word, for counters.
func result(err error) string {
	var f *fault
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, blob.ErrExists):
		return "exists"
	case errors.Is(err, blob.ErrNotFound):
		return "not-found"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	case errors.As(err, &f):
		if word, ok := map[kind]string{denied: "denied", passing: "busy", lost: "lost", full: "full"}[f.kind]; ok {
			return word
		}
	}
	return "failed"
}

package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// retrying repeats what may pass, and watches over what a repetition could break.
type retrying struct {
	inner blob.Bucket
	o     Options
	// passes says which errors are worth another attempt; nil: those of a cloud's bucket.
	passes func(error) bool
}

var _ blob.Bucket = (*retrying)(nil)

// transient says that the same request may succeed later. It may have been done, too.
func transient(err error) bool {
	var f *fault
	return errors.As(err, &f) && (f.kind == passing || f.kind == lost)
}

// do makes one call in as many attempts as it takes, and as are allowed.
func (r *retrying) do(ctx context.Context, op string, call func(attempt int) (carried int64, err error)) error {
	passes := r.passes
	if passes == nil {
		passes = transient
	}
	pause := r.o.Pause
	for attempt := 1; ; attempt++ {
		began := r.o.Now()
		carried, err := call(attempt)
		r.tell(op, err, attempt, carried, r.o.Now().Sub(began))
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		if attempt >= r.o.Attempts {
			if attempt > 1 {
				err = fmt.Errorf("%w (%d attempts)", err, attempt)
			}
			return err
		}
		if stopped := rest(ctx, pause/2+rand.N(pause/2+1)); stopped != nil {
			return errors.Join(stopped, err)
		}
		pause = min(2*pause, pauseMax)
	}
}

func (r *retrying) tell(op string, err error, attempt int, carried int64, took time.Duration) {
	if r.o.Observe == nil {
		return
	}
	if err != nil {
		carried = 0
	}
	r.o.Observe(Request{Op: op, Result: result(err), Attempt: attempt, Bytes: carried, Took: took})
}

// rest waits, or says why it didn't.
func rest(ctx context.Context, d time.Duration) error {
	timer, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-timer.Done()
	return ctx.Err()
}

// Put implements blob.Bucket. Callers that put a key twice with other bytes must know that a first request, given up here,
// may still arrive behind the second.
func (r *retrying) Put(ctx context.Context, key string, data ...[]byte) error {
	return r.do(ctx, "put", func(int) (int64, error) { return length(data), r.inner.Put(ctx, key, data...) })
}

// PutIfAbsent implements blob.Bucket (invariant 2): ErrExists of a repetition may be the doing of the attempt before.
func (r *retrying) PutIfAbsent(ctx context.Context, key string, data ...[]byte) error {
	return r.do(ctx, "put-if-absent", func(attempt int) (int64, error) {
		err := r.inner.PutIfAbsent(ctx, key, data...)
		if attempt > 1 && errors.Is(err, blob.ErrExists) {
			err = r.unlessOurs(ctx, key, data, err)
		}
		return length(data), err
	})
}

// unlessOurs reads what is there: if it is what was put, then by an attempt whose answer was lost, and nothing is wrong.
func (r *retrying) unlessOurs(ctx context.Context, key string, data [][]byte, exists error) error {
	there, err := r.inner.Get(ctx, key)
	switch {
	case errors.Is(err, blob.ErrNotFound): // deleted since
		return exists
	case err != nil:
		return fmt.Errorf("%w (while finding out whether an earlier attempt had put it)", err)
	case bytes.Equal(there, slices.Concat(data...)):
		return nil
	}
	return exists
}

func length(data [][]byte) (n int64) {
	for _, d := range data {
		n += int64(len(d))
	}
	return n
}

// Get implements blob.Bucket.
func (r *retrying) Get(ctx context.Context, key string) (data []byte, err error) {
	err = r.do(ctx, "get", func(int) (_ int64, err error) {
		data, err = r.inner.Get(ctx, key)
		return int64(len(data)), err
	})
	return data, err
}

// GetRange implements blob.Bucket.
func (r *retrying) GetRange(ctx context.Context, key string, off, n int64) (data []byte, err error) {
	err = r.do(ctx, "get-range", func(int) (_ int64, err error) {
		data, err = r.inner.GetRange(ctx, key, off, n)
		return int64(len(data)), err
	})
	return data, err
}

// List implements blob.Bucket: a repetition goes on behind the last object that the caller saw, and what the caller returned
// is never a reason to repeat.
func (r *retrying) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	last, enough := "", error(nil)
	err := r.do(ctx, "list", func(int) (int64, error) {
		err := r.inner.List(ctx, prefix, func(o blob.Object) error {
			if o.Key <= last {
				return nil
			}
			last = o.Key
			enough = fn(o)
			return enough
		})
		if enough != nil {
			return 0, nil
		}
		return 0, err
	})
	if enough != nil {
		return enough
	}
	return err
}

// Delete implements blob.Bucket.
func (r *retrying) Delete(ctx context.Context, key string) error {
	return r.do(ctx, "delete", func(int) (int64, error) { return 0, r.inner.Delete(ctx, key) })
}

// Close closes what is wrapped, if that can be closed.
func (r *retrying) Close() error {
	if c, ok := r.inner.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

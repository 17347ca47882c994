package streamtest_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// arrived is how many tasks a snapshot has that have come to their committed cut, or have stopped.
func arrived(s *stream.Status) (n int) {
	for i := range s.Tasks {
		if s.Tasks[i].State != stream.Restoring {
			n++
		}
	}
	return n
}

// dam is a bucket that keeps the files of checkpoints back until it is opened, all but the first few reads.
type dam struct {
	blob.Bucket
	opened chan struct{}
	open   func()
}

func newDam(b blob.Bucket) *dam {
	d := &dam{Bucket: b, opened: make(chan struct{})}
	d.open = sync.OnceFunc(func() { close(d.opened) })
	return d
}

func (d *dam) held(ctx context.Context, key string) {
	if !strings.Contains(key, "/files/") {
		return
	}
	select {
	case <-d.opened:
	case <-ctx.Done():
	}
}

func (d *dam) Get(ctx context.Context, key string) ([]byte, error) {
	d.held(ctx, key)
	return d.Bucket.Get(ctx, key)
}

func (d *dam) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	d.held(ctx, key)
	return d.Bucket.GetRange(ctx, key, off, n)
}

// Tasks that are restored from the bucket are told of while they are on their way, with the bytes that there are to fetch, and
// are counted by where their state came from when they are there.
func TestRestoringIsTold(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := small(91).Log()
	w.Produce(log)
	w.Stream()
	w.LoseDisk()
	d := newDam(w.Bucket)
	o := w.Options("a")
	o.Bucket, o.UntilEnd = d, false
	s := w.begin(o)
	defer s.cancel()
	s.until("restoring", func(st *stream.Status) bool {
		if len(st.Tasks) != 4 || arrived(st) > 0 {
			return false
		}
		for i := range st.Tasks {
			r := st.Tasks[i].Restore
			if r == nil || r.Source != stream.FromCheckpoint || r.BytesTotal == 0 || r.Percent() == 100 {
				return false
			}
		}
		return true
	})
	if n := len(s.last.Load().Restores); n != 0 {
		t.Errorf("%d kinds of restores have ended", n)
	}
	d.open()
	s.until("restored", func(st *stream.Status) bool { return arrived(st) == 4 && len(st.Tasks) == 4 })
	took := s.last.Load().Restores[stream.FromCheckpoint]
	ended := int64(0)
	for _, n := range took.Took {
		ended += n
	}
	if ended != 4 || took.Sum == 0 {
		t.Errorf("restores %+v", s.last.Load().Restores)
	}
}

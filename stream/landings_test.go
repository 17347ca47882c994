package stream

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// slowBucket holds up the next put once it is told to.
type slowBucket struct {
	blob.Bucket
	hold atomic.Bool
	goOn chan struct{}
}

func (b *slowBucket) PutIfAbsent(ctx context.Context, key string, data ...[]byte) error {
	if b.hold.CompareAndSwap(true, false) {
		<-b.goOn
	}
	return b.Bucket.PutIfAbsent(ctx, key, data...)
}

// What a task has read while its lander was busy is landed, too, before landAll says that all is (law L3: a stop, and the
// end of a run, leave nothing that only Kafka has).
func TestLandAllLandsWhatCameMeanwhile(t *testing.T) {
	ctx := t.Context()
	b := &slowBucket{Bucket: blob.NewMemory(), goOn: make(chan struct{})}
	topic, err := lake.OpenTopic(ctx, b, lake.Declaration{Topic: "orders", EventTime: "at", Format: "avro"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := topic.Lander(ctx, 0, lake.LanderOptions{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := &runner{tasks: map[int32]*task{0: {inputs: []*input{{lander: l}}}}}
	r.landings.begin(context.WithCancel(ctx))
	defer r.landings.end()

	b.hold.Store(true)
	l.Advance(10)
	r.launch(all)
	l.Advance(17) // while the first ten are on their way
	time.AfterFunc(50*time.Millisecond, func() { close(b.goOn) })
	if err := r.landAll(ctx); err != nil {
		t.Fatal(err)
	}
	if got := l.Landed(); got != 17 {
		t.Errorf("landed up to %d of 17", got)
	}
}

package kafka_test

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// An answer that leaves out what was asked for is no answer: a task that is told so wrongly that nothing was ever committed would
// be born again.
func TestCommittedInsistsOnAnAnswer(t *testing.T) {
	c := onFake(t)
	in := c.topic(t, "in", 2)
	if committed, err := c.admin.Committed(context.Background(), "group", in); err != nil || len(committed) != 0 {
		t.Fatalf("a group that never committed: %v, %v", committed, err)
	}
	c.fake.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return req.ResponseKind(), nil, true
	})
	if committed, err := c.admin.Committed(context.Background(), "group", in); err == nil {
		t.Errorf("an empty answer is taken for %v", committed)
	}
}

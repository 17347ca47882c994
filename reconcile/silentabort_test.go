package reconcile

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A commit that is confirmed and was an abort: franz-go 1.22.2 does it when the first record to a topic is acknowledged before the client has
// stored that topic's partitions. Whatever the reason, nothing is certified that can't be read back (invariant 8).
func TestConfirmedCommitThatWasAnAbort(t *testing.T) {
	g := prepared(t)
	var turned, left atomic.Int64
	g.fake.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if end := req.(*kmsg.EndTxnRequest); strings.HasPrefix(end.TransactionalID, "shop-reconcile-") && end.Commit && left.Load() > 0 {
			end.Commit = false
			left.Add(-1)
			turned.Add(1)
		}
		return nil, nil, false
	})
	left.Store(3) // as often as it is tried
	rep, err := g.reconciler().Apply(g.ctx, ApplyOptions{})
	if turned.Load() != 3 {
		t.Fatalf("%d commits were turned into aborts", turned.Load())
	}
	if !errors.Is(err, ErrTryAgain) || !strings.Contains(err.Error(), "confirmed and are not published") {
		t.Fatal(err)
	}
	if rep.Certified != 0 || rep.Published != 0 {
		t.Fatalf("%+v", rep)
	}
	left.Store(1) // the next attempt succeeds
	if rep := g.apply(); rep.Published != int64(len(preparedCorrections)) {
		t.Fatalf("%+v", rep)
	}
	g.settled(preparedCorrections)
}

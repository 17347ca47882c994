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
	var turned atomic.Int64
	g.fake.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if end := req.(*kmsg.EndTxnRequest); strings.HasPrefix(end.TransactionalID, "shop-reconcile-") && end.Commit && turned.Load() == 0 {
			end.Commit = false
			turned.Add(1)
		}
		return nil, nil, false
	})
	rep, err := g.reconciler().Apply(g.ctx, ApplyOptions{})
	if turned.Load() != 1 {
		t.Fatalf("%d commits were turned into aborts", turned.Load())
	}
	if !errors.Is(err, ErrTryAgain) || !strings.Contains(err.Error(), "confirmed and are not published") {
		t.Fatal(err)
	}
	if rep.Certified != 0 {
		t.Fatalf("%+v", rep)
	}
	g.apply()
	g.settled(preparedCorrections)
}

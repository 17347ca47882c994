package kafka

import (
	"context"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// The first and the longest pause between two looks at a transaction that is being ended.
const (
	settleFirst = 2 * time.Millisecond
	settleLast  = 100 * time.Millisecond
)

// settle waits until the broker has finished the transaction before this one. It answers the end of a transaction once the
// decision is written, and writes the markers after that. Until they are, whatever begins the next transaction is answered
// CONCURRENT_TRANSACTIONS. The client sends records again then, but not offsets: it gives the transaction up, and the session
// with it. So a transaction that begins with its offsets, because nothing was produced, is held back that long.
//
// It is a courtesy: where the broker can't or won't tell, the commit goes on as it is, and says itself what came of it.
func (s *Session) settle(ctx context.Context) {
	id := s.o.TransactionalID
	adm := kadm.NewClient(s.gts.Client())
	for wait := settleFirst; ; wait = min(2*wait, settleLast) {
		described, err := adm.DescribeTransactions(ctx, id)
		if err != nil || described[id].Err != nil || !strings.HasPrefix(described[id].State, "Prepare") {
			return
		}
		if pause(ctx, wait) != nil {
			return
		}
	}
}

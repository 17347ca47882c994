package broker

import (
	"math"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// responseMax bounds, in bytes, what a fetch may bring: clients of ours take no more than 64 MiB.
const responseMax = 48 << 20

// wholeFetches keeps the embedded broker from showing aborted records to read-committed consumers. When a response has
// reached the request's limit in bytes, it leaves out the list of aborted transactions of the partition at which it
// stopped, and a client takes all of that partition's records for committed. So no response reaches that limit: each
// partition stops at its own.
func wholeFetches(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req, ok := r.(*kmsg.FetchRequest)
		if !ok {
			return nil, nil, false
		}
		partitions := 0
		for i := range req.Topics {
			partitions += len(req.Topics[i].Partitions)
		}
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				p := &req.Topics[i].Partitions[j]
				p.PartitionMaxBytes = min(p.PartitionMaxBytes, int32(responseMax/max(partitions, 1)))
			}
		}
		req.MaxBytes = math.MaxInt32
		return nil, nil, false
	})
}

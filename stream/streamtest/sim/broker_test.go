package sim

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answers are the errors that a healthy cluster answers now and then: leaders and coordinators move, groups rebalance,
// transactions are under way. Some are answered although the request was carried out.
var answers = map[kmsg.Key][]*kerr.Error{
	kmsg.Produce:            {kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut, kerr.UnknownTopicOrPartition},
	kmsg.Fetch:              {kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.LeaderNotAvailable, kerr.OffsetNotAvailable, kerr.KafkaStorageError},
	kmsg.ListOffsets:        {kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.OffsetNotAvailable},
	kmsg.Metadata:           {kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition},
	kmsg.OffsetFetch:        {kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.UnstableOffsetCommit},
	kmsg.FindCoordinator:    {kerr.CoordinatorNotAvailable},
	kmsg.JoinGroup:          {kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.UnknownMemberID, kerr.RebalanceInProgress},
	kmsg.SyncGroup:          {kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.NotCoordinator},
	kmsg.Heartbeat:          {kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.NotCoordinator},
	kmsg.LeaveGroup:         {kerr.CoordinatorLoadInProgress, kerr.NotCoordinator},
	kmsg.CreateTopics:       {kerr.RequestTimedOut, kerr.NotController},
	kmsg.InitProducerID:     {kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator},
	kmsg.AddPartitionsToTxn: {kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.UnknownTopicOrPartition},
	kmsg.AddOffsetsToTxn:    {kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator},
	kmsg.TxnOffsetCommit:    {kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.RequestTimedOut},
	kmsg.EndTxn:             {kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.ProducerFenced, kerr.UnknownServerError},
}

// mood says how often the broker answers errors.
type mood struct {
	mu   sync.Mutex
	rng  *rand.Rand
	rate float64
	calm bool
	held bool // while the log is produced: it is not part of what is tested
	met  int
}

func (m *mood) hold(held bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = held
}

func (m *mood) strikes() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calm || m.held || m.rng.Float64() >= m.rate {
		return false
	}
	m.met++
	return true
}

func (m *mood) ends() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calm = true
}

// newBroker starts a cluster in the bubble. If key is not nil, requests of that key are answered wrongly now and then.
func newBroker(n *network, brokers int, topics map[string]int32, m *mood, keys []kmsg.Key, more ...kfake.Opt) (*kfake.Cluster, error) {
	ports := make([]int, brokers)
	for i := range ports {
		ports[i] = 9092 + i
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(brokers), kfake.Ports(ports...), kfake.ListenFn(n.listen),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
	}
	for name, width := range topics {
		opts = append(opts, kfake.SeedTopics(width, name))
	}
	c, err := kfake.NewCluster(append(opts, more...)...)
	if err != nil {
		return nil, err
	}
	wholeFetches(c)
	for _, key := range keys {
		for _, answer := range answers[key] {
			f := kfake.Fault{Keys: []kmsg.Key{key}, Err: answer, Count: -1, When: func(kmsg.Request) bool { return m.strikes() }}
			c.Fault(f)
			f.TopLevel = true
			c.Fault(f)
		}
	}
	return c, nil
}

// wholeFetches keeps the broker in memory from showing what was aborted: where a response reaches the request's limit in bytes in
// the midst of a partition, kfake (September 2026) leaves out that partition's list of aborted transactions. Kafka doesn't.
func wholeFetches(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if req, ok := r.(*kmsg.FetchRequest); ok {
			req.MaxBytes = math.MaxInt32 // each partition stops at its own limit
		}
		return nil, nil, false
	})
}

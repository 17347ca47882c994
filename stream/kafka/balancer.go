package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// steadyRange is the client's range balancer, which gives co-partitioned topics' partitions of one number to one member. What
// it says of itself when it joins leaves the generation out, which it does not use: a member that joins again with the
// same words changes nothing, where with other words the broker would make the whole group rebalance.
type steadyRange struct{ kgo.GroupBalancer }

func newBalancer() kgo.GroupBalancer { return steadyRange{kgo.RangeBalancer()} }

// JoinGroupMetadata is called by the client before it joins.
func (b steadyRange) JoinGroupMetadata(topics []string, _ map[string][]int32, _ int32) []byte {
	return b.GroupBalancer.JoinGroupMetadata(topics, nil, -1)
}

package kafka

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Owned is what a process was last assigned and had started. The sessions of a process share one: a new session is
// a new client to the group, and says by it which tasks have their state here.
type Owned struct {
	mu      sync.Mutex
	now     holding
	said    holding // when the process last joined
	revoked bool    // since then, by a rebalance
}

// holding is what is owned since a generation.
type holding struct {
	partitions []int32
	generation int32
}

func (o *Owned) set(partitions []int32, generation int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = holding{slices.Clone(partitions), generation}
}

func (o *Owned) revoke() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.revoked = true
}

// say is what to join with. A session's first join to a group at rest repeats what was said last: with other words a broker may make the
// whole group rebalance.
func (o *Owned) say(first bool) holding {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !first || o.revoked {
		o.said, o.revoked = o.now, false
	}
	return o.said
}

// sticky divides partition numbers among the members of a group, evenly, and so that as few as possible move: a task that moves
// takes its state along. The partitions of one number of all topics go to one member.
//
// A member says what it owned in which generation, by the consumer protocol's own words.
type sticky struct {
	owned  *Owned
	joined *atomic.Bool // by this client
}

func newSticky(owned *Owned) sticky { return sticky{owned, new(atomic.Bool)} }

var _ kgo.GroupBalancer = sticky{}

// ProtocolName keeps members that divide in another way out of the group.
func (sticky) ProtocolName() string { return "tidemark-sticky" }

// IsCooperative says that all partitions are revoked in a rebalance.
func (sticky) IsCooperative() bool { return false }

// JoinGroupMetadata is called by the client before it joins.
func (b sticky) JoinGroupMetadata(topics []string, _ map[string][]int32, _ int32) []byte {
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 3, topics
	has := b.owned.say(b.joined.CompareAndSwap(false, true))
	if meta.Generation = has.generation; len(has.partitions) == 0 {
		meta.Generation = -1
		return meta.AppendTo(nil)
	}
	for _, topic := range topics {
		owned := kmsg.NewConsumerMemberMetadataOwnedPartition()
		owned.Topic, owned.Partitions = topic, has.partitions
		meta.OwnedPartitions = append(meta.OwnedPartitions, owned)
	}
	return meta.AppendTo(nil)
}

// ParseSyncAssignment reads what the leader has made of it.
func (sticky) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	return kgo.ParseConsumerSyncAssignment(assignment)
}

// MemberBalancer is called in the leader, with what all members say.
func (b sticky) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	all, err := kgo.NewConsumerBalancer(b, members)
	return all, all.MemberTopics(), err
}

// Balance divides the numbers, and gives each member its part of the topics that it reads.
func (sticky) Balance(b *kgo.ConsumerBalancer, topics map[string]int32) kgo.IntoSyncAssignment {
	var claims []claim
	b.EachMember(func(m *kmsg.JoinGroupResponseMember, meta *kmsg.ConsumerMemberMetadata) {
		c := claim{member: m.MemberID, name: m.MemberID, generation: meta.Generation}
		if m.InstanceID != nil {
			c.name = *m.InstanceID
		}
		for _, owned := range meta.OwnedPartitions {
			c.partitions = append(c.partitions, owned.Partitions...)
		}
		claims = append(claims, c)
	})
	width := int32(0)
	for topic := range b.MemberTopics() {
		width = max(width, topics[topic])
	}
	parts := divide(claims, width)
	plan := b.NewPlan()
	b.EachMember(func(m *kmsg.JoinGroupResponseMember, meta *kmsg.ConsumerMemberMetadata) {
		for _, topic := range meta.Topics {
			for _, p := range parts[m.MemberID] {
				if p < topics[topic] {
					plan.AddPartition(m, topic, p)
				}
			}
		}
	})
	return plan
}

// claim is what one member owned in the last generation that it had started in.
type claim struct {
	member, name string
	generation   int32
	partitions   []int32
}

// divide gives each of width numbers to one member. Each gets as many as the others or one more, those that own most first, and keeps what
// it owns as far as that allows. What members say of earlier generations they owned before they were away: it counts where nobody owns
// a number now. The order of members makes no difference.
func divide(claims []claim, width int32) map[string][]int32 {
	parts := make(map[string][]int32, len(claims))
	if len(claims) == 0 {
		return parts
	}
	// Of one generation two can only claim the same if one is broken: the first by name has it.
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(b.generation, a.generation), cmp.Compare(a.name, b.name), cmp.Compare(a.member, b.member))
	})
	owners, before, owned := map[int32]string{}, map[int32]string{}, map[string]int{}
	for _, c := range claims {
		for _, p := range c.partitions {
			_, taken := owners[p]
			_, known := before[p]
			switch {
			case taken || known || p < 0 || p >= width:
			case c.generation == claims[0].generation:
				owners[p] = c.member
				owned[c.member]++
			default:
				before[p] = c.member
			}
		}
	}
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(owned[b.member], owned[a.member]), cmp.Compare(a.name, b.name), cmp.Compare(a.member, b.member))
	})
	room := make(map[string]int, len(claims))
	for i, c := range claims {
		if room[c.member] = int(width) / len(claims); i < int(width)%len(claims) {
			room[c.member]++
		}
	}
	free := make([]int32, width)
	for p := range free {
		free[p] = int32(p)
	}
	for _, wants := range []map[int32]string{owners, before} {
		free = slices.DeleteFunc(free, func(p int32) bool {
			m, ok := wants[p]
			if !ok || room[m] == 0 {
				return false
			}
			parts[m] = append(parts[m], p)
			room[m]--
			return true
		})
	}
	for _, c := range claims {
		n := room[c.member]
		parts[c.member] = slices.Sorted(slices.Values(append(parts[c.member], free[:n]...)))
		free = free[n:]
	}
	return parts
}

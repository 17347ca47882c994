package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Committed are the offsets that the group has committed for the topic's partitions, with their metadata. It
// asks for stable offsets: while a transaction that would change them is open, it waits, until ctx is done. A
// partition without a commit is absent.
func (a *Admin) Committed(ctx context.Context, group, topic string) (map[int32]Commit, error) {
	for {
		var committed map[int32]Commit
		err := persist(ctx, func() (err error) {
			committed, err = a.committed(ctx, group, topic)
			return err
		})
		if err == nil {
			return committed, nil
		}
		err = fmt.Errorf("committed offsets of group %s for %s: %w", group, topic, err)
		if !errors.Is(err, kerr.UnstableOffsetCommit) {
			return nil, err
		}
		if waited := pause(ctx, settlePause); waited != nil {
			return nil, fmt.Errorf("%w: %w", waited, err)
		}
	}
}

// committed asks for every partition by its number. Asked for a whole group, Kafka leaves out a
// partition whose only commit is still on its way, and calls the rest stable (seen on 4.1.0).
func (a *Admin) committed(ctx context.Context, group, topic string) (map[int32]Commit, error) {
	info, err := a.Topic(ctx, topic)
	if err != nil {
		return nil, err
	}
	resp, err := ask(ctx, func() (*kmsg.OffsetFetchResponse, error) {
		return offsetFetch(group, info).RequestWith(ctx, a.cl)
	})
	if err != nil {
		return nil, classify(err)
	}
	committed := make(map[int32]Commit, info.Partitions)
	answered := map[int32]bool{}
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); errors.Is(err, kerr.GroupIDNotFound) {
			return committed, nil
		} else if err != nil {
			return nil, classify(err)
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("partition %d: %w", p.Partition, classify(err))
				}
				at := Commit{Partition: p.Partition, Next: p.Offset, LeaderEpoch: p.LeaderEpoch}
				if p.Metadata != nil {
					at.Metadata = *p.Metadata
				}
				answered[at.Partition] = true
				if at.Next >= 0 {
					committed[at.Partition] = at
				}
			}
		}
	}
	if len(answered) < int(info.Partitions) {
		// Taken for "never committed", it would let a task be born again.
		return nil, fmt.Errorf("the broker answered for %d of %d partitions", len(answered), info.Partitions)
	}
	return committed, nil
}

func offsetFetch(group string, info *TopicInfo) *kmsg.OffsetFetchRequest {
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic = info.Name
	topic.TopicID = info.raw
	for p := range info.Partitions {
		topic.Partitions = append(topic.Partitions, p)
	}
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	g.Topics = []kmsg.OffsetFetchRequestGroupTopic{topic}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Groups = []kmsg.OffsetFetchRequestGroup{g}
	req.RequireStable = true
	return req
}

// LeaveGroup removes a static member, so that its partitions go to others at once. A member that is not there is no error.
func (a *Admin) LeaveGroup(ctx context.Context, group, instance string) error {
	err := persist(ctx, func() error {
		left, err := ask(ctx, func() (kadm.LeaveGroupResponses, error) {
			return a.adm.LeaveGroup(ctx, kadm.LeaveGroup(group).Reason("the process ends for good").InstanceIDs(instance))
		})
		if err == nil {
			err = left.Error()
		}
		return err
	})
	if err == nil || errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.GroupIDNotFound) {
		return nil
	}
	return fmt.Errorf("remove %s from group %s: %w", instance, group, err)
}

// GroupOwners are the instance ids (or member ids, of members without) to which partition numbers are
// assigned. While the group is rebalancing, or when it has no members, there are none.
func (a *Admin) GroupOwners(ctx context.Context, group string) (map[int32]string, error) {
	members, err := a.members(ctx, group)
	if err != nil {
		return nil, err
	}
	owners := make(map[int32]string)
	for i := range members {
		assigned, ok := members[i].Assigned.AsConsumer()
		if !ok {
			continue
		}
		for _, topic := range assigned.Topics {
			for _, p := range topic.Partitions {
				owners[p] = memberName(&members[i])
			}
		}
	}
	return owners, nil
}

// GroupMembers are the instance ids (or member ids, of members without) of a group, whether it is rebalancing or not.
func (a *Admin) GroupMembers(ctx context.Context, group string) ([]string, error) {
	members, err := a.members(ctx, group)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(members))
	for i := range members {
		names[i] = memberName(&members[i])
	}
	return names, nil
}

func (a *Admin) members(ctx context.Context, group string) ([]kadm.DescribedGroupMember, error) {
	var described kadm.DescribedGroups
	err := persist(ctx, func() (err error) {
		described, err = ask(ctx, func() (kadm.DescribedGroups, error) { return a.adm.DescribeGroups(ctx, group) })
		if err == nil {
			err = described[group].Err
		}
		return err
	})
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("describe group %s: %w", group, err)
	}
	return described[group].Members, nil
}

func memberName(m *kadm.DescribedGroupMember) string {
	if m.InstanceID != nil {
		return *m.InstanceID
	}
	return m.MemberID
}

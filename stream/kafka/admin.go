package kafka

import (
	"context"
	"time"
)

// TopicInfo describes a topic as the broker knows it now.
type TopicInfo struct {
	Name string
	// ID is the topic's id: a topic that is deleted and created again has another one. URL-safe
	// base64 without padding, as Kafka's own tools print it.
	ID         string
	Partitions int32
	// LeaderEpochs are by partition.
	LeaderEpochs map[int32]int32
}

// TopicSpec says how a topic is to be when it does not exist yet.
type TopicSpec struct {
	Name       string
	Partitions int32
	// Replication factor; 0 means the broker's default.
	Replication int16
	Configs     map[string]string
}

// Ends are the offsets at which a partition begins and ends.
type Ends struct {
	Start, LastStable, High int64
}

// Admin asks about and changes topics and groups. It is safe for concurrent use.
type Admin struct{}

// NewAdmin makes a client; it connects with the first call.
func NewAdmin(o Options) (*Admin, error) { panic("not yet") }

// Close ends the client.
func (a *Admin) Close() { panic("not yet") }

// Committed are the offsets that the group has committed for the topic's partitions, with their metadata. It
// asks for stable offsets: while a transaction that would change them is open, it waits. A
// partition without a commit is absent.
func (a *Admin) Committed(ctx context.Context, group, topic string) (map[int32]Commit, error) {
	panic("not yet")
}

// Topic describes a topic. errors.Is(err, ErrNoTopic) when there is none.
func (a *Admin) Topic(ctx context.Context, name string) (*TopicInfo, error) { panic("not yet") }

// EnsureTopic creates the topic if it does not exist. One that exists with another number of partitions is an error.
func (a *Admin) EnsureTopic(ctx context.Context, s TopicSpec) error { panic("not yet") }

// Offsets are the ends of every partition of the topic.
func (a *Admin) Offsets(ctx context.Context, topic string) (map[int32]Ends, error) {
	panic("not yet")
}

// OffsetsAfterTime are, per partition, the first offset whose record timestamp is at or after t, or the end.
func (a *Admin) OffsetsAfterTime(ctx context.Context, topic string, t time.Time) (map[int32]int64, error) {
	panic("not yet")
}

// LeaveGroup removes a static member, so that its partitions go to others at once. A member that is not there is no error.
func (a *Admin) LeaveGroup(ctx context.Context, group, instance string) error { panic("not yet") }

// GroupOwners are the instance ids (or member ids) to which the topic's partitions are assigned.
func (a *Admin) GroupOwners(ctx context.Context, group, topic string) (map[int32]string, error) {
	panic("not yet")
}

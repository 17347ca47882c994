package kafka

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// How long a topic that was created, or a coordinator that is loading, may take to be known
// everywhere: tries, and the pause before each but the first.
const (
	settleTries = 50
	settlePause = 100 * time.Millisecond
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

	raw     [16]byte
	leaders map[int32]int32
}

// TopicSpec says how a topic is to be when it does not exist yet.
type TopicSpec struct {
	Name       string
	Partitions int32
	// Replication factor; 0 means the broker's default.
	Replication int16
	Configs     map[string]string
}

// Ends are the offsets at which a partition begins and ends. Start <= LastStable <= High.
type Ends struct {
	// Start is the first offset that is still there.
	Start int64
	// LastStable is the end for read-committed readers: the first offset of the oldest open transaction, or High.
	LastStable int64
	// High is the high watermark: the offset that the next record to be acknowledged gets.
	High int64
}

// Admin asks about and changes topics and groups. It is safe for concurrent use.
type Admin struct {
	cl  *kgo.Client
	adm *kadm.Client
}

// NewAdmin makes a client; it connects with the first call.
func NewAdmin(o Options) (*Admin, error) {
	opts, err := o.client()
	if err != nil {
		return nil, fmt.Errorf("admin client: %w", err)
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("admin client: %w", err)
	}
	return &Admin{cl: cl, adm: kadm.NewClient(cl)}, nil
}

// Close ends the client.
func (a *Admin) Close() { a.cl.Close() }

// Topic describes a topic. errors.Is(err, ErrNoTopic) when there is none.
func (a *Admin) Topic(ctx context.Context, name string) (info *TopicInfo, err error) {
	waited := persist(ctx, func() error {
		info, err = describe(ctx, a.cl, name)
		var answer *kerr.Error
		if errors.As(err, &answer) && !errors.Is(err, ErrNoTopic) {
			return err
		}
		// A connection has been tried often enough. Whether a topic is there is for the caller to wait for.
		return nil
	})
	if err = cmp.Or(waited, err); err != nil {
		return nil, err
	}
	return info, nil
}

// describe asks the broker, not the client's cache.
func describe(ctx context.Context, cl *kgo.Client, name string) (*TopicInfo, error) {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{topic}
	resp, err := ask(ctx, func() (*kmsg.MetadataResponse, error) { return req.RequestWith(ctx, cl) })
	if err != nil {
		return nil, fmt.Errorf("describe topic %s: %w", name, err)
	}
	if len(resp.Topics) != 1 {
		return nil, fmt.Errorf("describe topic %s: the broker described %d topics", name, len(resp.Topics))
	}
	t := &resp.Topics[0]
	if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
		return nil, fmt.Errorf("describe topic %s: %w", name, classify(err))
	}
	info := &TopicInfo{
		Name:         name,
		ID:           base64.RawURLEncoding.EncodeToString(t.TopicID[:]),
		Partitions:   int32(len(t.Partitions)),
		LeaderEpochs: make(map[int32]int32, len(t.Partitions)),
		raw:          t.TopicID,
		leaders:      make(map[int32]int32, len(t.Partitions)),
	}
	for _, p := range t.Partitions {
		info.LeaderEpochs[p.Partition] = p.LeaderEpoch
		info.leaders[p.Partition] = p.Leader
		if p.ErrorCode != 0 {
			info.leaders[p.Partition] = -1
		}
	}
	return info, nil
}

// EnsureTopic creates the topic if it does not exist, and waits until every partition has a leader. One that
// exists with another number of partitions is an error; its other settings are left as they are.
func (a *Admin) EnsureTopic(ctx context.Context, s TopicSpec) error {
	replication := s.Replication
	if replication == 0 {
		replication = -1
	}
	configs := make(map[string]*string, len(s.Configs))
	for key, value := range s.Configs {
		configs[key] = &value
	}
	if _, err := a.Topic(ctx, s.Name); errors.Is(err, ErrNoTopic) {
		if err := a.create(ctx, s, replication, configs); err != nil {
			return fmt.Errorf("create topic %s with %d partitions: %w", s.Name, s.Partitions, err)
		}
	}
	info, err := a.settled(ctx, s.Name)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", s.Name, err)
	}
	if info.Partitions != s.Partitions {
		return fmt.Errorf("topic %s has %d partitions, not %d: change the setting, or give the output another name",
			s.Name, info.Partitions, s.Partitions)
	}
	return nil
}

// createTries bounds how often a topic is asked for whose making has neither succeeded nor failed for good.
const createTries = 5

func (a *Admin) create(ctx context.Context, s TopicSpec, replication int16, configs map[string]*string) error {
	for try := 1; ; try++ {
		_, err := ask(ctx, func() (kadm.CreateTopicResponse, error) {
			return a.adm.CreateTopic(ctx, s.Partitions, replication, configs, s.Name)
		})
		var network net.Error
		switch {
		case err == nil, errors.Is(err, kerr.TopicAlreadyExists):
			return nil // perhaps by an attempt whose answer did not come
		case try == createTries, ctx.Err() != nil, !retriable(err) && (!errors.As(err, &network) || !network.Timeout()):
			return err
		}
		if waited := pause(ctx, pauseMax); waited != nil {
			return errors.Join(waited, err)
		}
	}
}

// settled waits until the brokers agree that the topic is there.
func (a *Admin) settled(ctx context.Context, name string) (*TopicInfo, error) {
	var last error
	for try := range settleTries {
		if try > 0 {
			if err := pause(ctx, settlePause); err != nil {
				return nil, errors.Join(err, last)
			}
		}
		info, err := a.Topic(ctx, name)
		if err != nil && !errors.Is(err, ErrNoTopic) && !retriable(err) {
			return nil, err
		}
		last = err
		if err == nil && info.led() {
			return info, nil
		}
	}
	if last == nil {
		last = errors.New("partitions are without a leader")
	}
	return nil, last
}

func (t *TopicInfo) led() bool {
	for _, leader := range t.leaders {
		if leader < 0 {
			return false
		}
	}
	return t.Partitions > 0
}

// Offsets are the ends of every partition of the topic.
func (a *Admin) Offsets(ctx context.Context, topic string) (map[int32]Ends, error) {
	ends := make(map[int32]Ends)
	// In this order each bound is at least as new as the one before it, so that Start <= LastStable <= High.
	for _, bound := range []struct {
		name string
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
		set  func(*Ends, int64)
	}{
		{"start", a.adm.ListStartOffsets, func(e *Ends, at int64) { e.Start = at }},
		{"last stable", a.adm.ListCommittedOffsets, func(e *Ends, at int64) { e.LastStable = at }},
		{"end", a.adm.ListEndOffsets, func(e *Ends, at int64) { e.High = at }},
	} {
		offsets, err := list(ctx, topic, bound.list)
		if err != nil {
			return nil, fmt.Errorf("%s offsets of %s: %w", bound.name, topic, err)
		}
		for p, at := range offsets {
			e := ends[p]
			bound.set(&e, at)
			ends[p] = e
		}
	}
	return ends, nil
}

// OffsetsAfterTime are, per partition, the first offset whose record timestamp (which is not the
// event time) is at or after t, or the end.
func (a *Admin) OffsetsAfterTime(ctx context.Context, topic string, t time.Time) (map[int32]int64, error) {
	offsets, err := list(ctx, topic, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return a.adm.ListOffsetsAfterMilli(ctx, t.UnixMilli(), topics...)
	})
	if err != nil {
		return nil, fmt.Errorf("offsets of %s after %s: %w", topic, t.UTC().Format(time.RFC3339), err)
	}
	return offsets, nil
}

// list asks for offsets of every partition, and answers for all of them or for none.
func list(ctx context.Context, topic string, of func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
	var offsets map[int32]int64
	err := persist(ctx, func() error {
		listed, err := ask(ctx, func() (kadm.ListedOffsets, error) { return of(ctx, topic) })
		if err != nil {
			return classify(err)
		}
		if len(listed[topic]) == 0 {
			return ErrNoTopic
		}
		offsets = make(map[int32]int64, len(listed[topic]))
		for p, at := range listed[topic] {
			if at.Err != nil {
				return fmt.Errorf("partition %d: %w", p, classify(at.Err))
			}
			offsets[p] = at.Offset
		}
		return nil
	})
	return offsets, err
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	fetchWait    = 500 * time.Millisecond
	rangeBytes   = 4 << 20
	lookoutBytes = 64 << 10
)

// fetcher reads one partition by single fetch requests, read-committed. A consumer of the client's would only say
// which records it got; the answers themselves also say where the position is and whether the log ends there.
type fetcher struct {
	cl        *kgo.Client
	topic     string
	partition int32
	bytes     int32
	expand    kgo.Decompressor // the client's, which is bounded

	id     [16]byte
	leader int32
	known  bool
}

// answer is what one fetch said.
type answer struct {
	records    []*Record
	next       int64 // the position after it: past markers, aborted records and emptied batches too
	lastStable int64
	start      int64
	// ended says that the broker has no batch at or after the position up to lastStable.
	ended bool
}

func newFetcher(o Options, topic string, partition int32, bytes int32) (*fetcher, error) {
	opts, err := o.client()
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.BrokerMaxReadBytes(max(2*bytes, batchBytesMax)))
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, err
	}
	f := &fetcher{cl: cl, topic: topic, partition: partition, bytes: bytes}
	var ok bool
	if f.expand, ok = cl.OptValue(kgo.WithDecompressor).(kgo.Decompressor); !ok {
		cl.Close()
		return nil, errors.New("the Kafka client does not give out its decompressor")
	}
	return f, nil
}

// at fetches from the offset, and tries again a limited number of times while the partition's leader is moving or away.
func (f *fetcher) at(ctx context.Context, offset int64) (got answer, err error) {
	err = persist(ctx, func() error {
		var err error
		if got, err = f.once(ctx, offset); err != nil {
			f.known = false
		}
		return classify(err)
	})
	if err != nil {
		return answer{}, fmt.Errorf("fetch of %s/%d at offset %d: %w", f.topic, f.partition, offset, err)
	}
	return got, nil
}

func (f *fetcher) locate(ctx context.Context) error {
	if f.known {
		return nil
	}
	info, err := describe(ctx, f.cl, f.topic)
	if err != nil {
		return err
	}
	leader, ok := info.leaders[f.partition]
	if !ok {
		return fmt.Errorf("%w: %s has %d partitions, and no partition %d", ErrNoTopic, f.topic, info.Partitions, f.partition)
	}
	if leader < 0 {
		return kerr.LeaderNotAvailable
	}
	f.id, f.leader, f.known = info.raw, leader, true
	return nil
}

func (f *fetcher) once(ctx context.Context, offset int64) (answer, error) {
	if err := f.locate(ctx); err != nil {
		return answer{}, err
	}
	resp, err := f.cl.Broker(int(f.leader)).RetriableRequest(ctx, f.request(offset))
	if err != nil {
		return answer{}, err
	}
	fetched := resp.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		return answer{}, err
	}
	if len(fetched.Topics) != 1 || len(fetched.Topics[0].Partitions) != 1 {
		// A broker that throttles answers without the partition: that says nothing about the log.
		return answer{next: offset, lastStable: -1}, pause(ctx, time.Duration(fetched.ThrottleMillis)*time.Millisecond)
	}
	return f.read(&fetched.Topics[0].Partitions[0], offset)
}

func (f *fetcher) request(offset int64) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition = f.partition
	p.FetchOffset = offset
	p.PartitionMaxBytes = f.bytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = f.topic
	topic.TopicID = f.id
	topic.Partitions = []kmsg.FetchRequestTopicPartition{p}
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(fetchWait.Milliseconds())
	req.MinBytes = 1
	req.MaxBytes = f.bytes
	req.IsolationLevel = 1 // read committed
	req.Topics = []kmsg.FetchRequestTopic{topic}
	return req
}

func (f *fetcher) read(p *kmsg.FetchResponseTopicPartition, offset int64) (answer, error) {
	part, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             offset,
		IsolationLevel:     kgo.ReadCommitted(),
		Topic:              f.topic,
		Partition:          f.partition,
	}, p, f.expand, nil)
	if part.Err != nil {
		return answer{}, part.Err
	}
	got := answer{records: part.Records, next: next, lastStable: part.LastStableOffset, start: part.LogStartOffset}
	if len(p.RecordBatches) > 0 && next <= offset {
		return answer{}, fmt.Errorf("the broker answered with %d bytes that hold no whole batch at or after the offset", len(p.RecordBatches))
	}
	// The broker answers with at least one batch if there is one below the last stable offset, whatever its size.
	got.ended = len(p.RecordBatches) == 0
	return got, nil
}

package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer is an idempotent producer without transactions, for `tidemark produce`. Each record is written once,
// and records of a partition keep their order. It is safe for concurrent use.
type Producer struct {
	cl      *kgo.Client
	endLife context.CancelFunc
	out     *outbox
}

// NewProducer makes a client; it connects with the first record.
func NewProducer(o Options) (*Producer, error) {
	opts, err := o.client()
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	p := &Producer{}
	life, endLife := context.WithCancel(context.Background())
	p.endLife, p.out = endLife, newOutbox(life, outboxBytes)
	opts = append(append(opts, producing()...),
		kgo.WithContext(life),
		// No RecordDeliveryTimeout: it counts from the record's timestamp, which may be years ago.
	)
	if p.cl, err = kgo.NewClient(opts...); err != nil {
		p.endLife()
		return nil, fmt.Errorf("producer: %w", err)
	}
	return p, nil
}

// Produce sends r, whose Topic and Partition must be set. It blocks while too much is in flight, until ctx is
// done or the broker has acknowledged nothing for a minute, and returns the first failure of any record so far: then nothing more is sent.
func (p *Producer) Produce(ctx context.Context, r *Record) error {
	if err := p.fault(); err != nil {
		return err
	}
	p.out.put(ctx, p.cl.Produce, r)
	return p.fault()
}

func (p *Producer) fault() error {
	_, failed := p.out.state()
	return failed
}

// Acknowledged is how many records the broker has confirmed.
func (p *Producer) Acknowledged() int64 { return p.out.acknowledged() }

// Flush waits until everything produced is acknowledged or has failed, and returns the first failure. It gives up when the
// broker has acknowledged nothing for a minute.
func (p *Producer) Flush(ctx context.Context) error {
	if err := p.out.while(ctx, p.cl.Flush); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return p.fault()
}

// Close ends the client; call Flush first: what is not acknowledged by then is dropped.
func (p *Producer) Close() {
	p.endLife()
	p.cl.Close()
}

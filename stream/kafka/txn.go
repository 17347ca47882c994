package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// How long a dead producer holds up read-committed readers, and how long one Commit or Abort may take.
const (
	txnTimeout    = 10 * time.Second
	txnEndTimeout = 30 * time.Second
)

// TxnProducer publishes in transactions, without a group. Making one fences every older one of its id.
// Produce may be called from several goroutines; Commit, Abort and Close from one, while nobody produces.
type TxnProducer struct {
	cl      *kgo.Client
	id      string
	life    context.Context
	endLife context.CancelFunc

	out    *outbox
	broken error // why nothing but Close is left

	mu      sync.Mutex
	written map[place]bool // partitions produced to in this transaction
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// NewTxnProducer takes over transactionalID: when it returns, no older producer of that id can commit, and
// what one of them had open is aborted (or was committed before).
func NewTxnProducer(ctx context.Context, o Options, transactionalID string) (*TxnProducer, error) {
	opts, err := o.client()
	if err != nil {
		return nil, fmt.Errorf("transactional producer: %w", err)
	}
	p := &TxnProducer{id: transactionalID}
	p.life, p.endLife = context.WithCancel(context.Background())
	p.out = newOutbox(p.life, outboxBytes)
	opts = append(append(opts, producing()...),
		kgo.WithContext(p.life),
		kgo.TransactionalID(transactionalID),
		kgo.TransactionTimeout(txnTimeout),
	)
	if p.cl, err = kgo.NewClient(opts...); err != nil {
		p.endLife()
		return nil, fmt.Errorf("transactional producer: %w", err)
	}
	if err := takeOver(ctx, p.cl, transactionalID); err != nil {
		p.Close()
		return nil, err
	}
	if err := p.cl.BeginTransaction(); err != nil {
		p.Close()
		return nil, fmt.Errorf("begin a transaction of %s: %w", transactionalID, classify(err))
	}
	return p, nil
}

// takeOver fences every older producer of the id: InitProducerId bumps the epoch, and ends what was open.
func takeOver(ctx context.Context, cl *kgo.Client, transactionalID string) error {
	err := persist(ctx, func() error {
		_, _, err := cl.ProducerID(ctx)
		return classify(err)
	})
	if err != nil {
		return fmt.Errorf("take over transactional id %s: %w", transactionalID, err)
	}
	return nil
}

// Produce buffers r, whose Topic and Partition must be set. It blocks while too much is
// buffered, until ctx is done; ctx does not bound the sending. A failure surfaces in Commit. r is the producer's until then.
func (p *TxnProducer) Produce(ctx context.Context, r *Record) {
	p.mu.Lock()
	if p.written == nil {
		p.written = map[place]bool{}
	}
	p.written[place{r.Topic, r.Partition}] = true
	p.mu.Unlock()
	p.out.put(ctx, p.cl.Produce, r)
}

// Commit ends the transaction, and begins the next; nil means that the broker has confirmed. After an error
// only Close is left, and only reading the topic can tell whether the transaction was committed. It takes at most 30 s.
func (p *TxnProducer) Commit(ctx context.Context) error {
	return p.end(ctx, kgo.TryCommit, "commit")
}

// Abort drops what was produced since the last Commit. After an error only Close is left.
func (p *TxnProducer) Abort(ctx context.Context) error {
	return p.end(ctx, kgo.TryAbort, "abort")
}

func (p *TxnProducer) end(ctx context.Context, how kgo.TransactionEndTry, name string) error {
	if p.broken != nil {
		return p.broken
	}
	ctx, cancel := context.WithTimeout(ctx, txnEndTimeout)
	defer cancel()
	if err := p.endOnce(ctx, how); err != nil {
		p.broken = fmt.Errorf("%s of a transaction of %s: %w", name, p.id, err)
	}
	return p.broken
}

func (p *TxnProducer) endOnce(ctx context.Context, how kgo.TransactionEndTry) error {
	settle := p.cl.Flush
	if how == kgo.TryAbort {
		settle = p.cl.AbortBufferedRecords
	}
	if err := settle(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	// The client would commit whatever succeeded.
	if _, failed := p.out.state(); failed != nil && how == kgo.TryCommit {
		return failed
	}
	if how == kgo.TryCommit {
		if err := p.known(ctx); err != nil {
			return err
		}
	}
	if err := p.cl.EndTransaction(ctx, how); err != nil {
		return classifyEnd(err)
	}
	p.out.reset()
	p.mu.Lock()
	p.written = nil
	p.mu.Unlock()
	if err := p.cl.BeginTransaction(); err != nil {
		return fmt.Errorf("begin the next: %w", classify(err))
	}
	return nil
}

// known waits until the client itself knows every partition that was produced to. The first record to a topic can be
// acknowledged a moment before the client has stored the topic's partitions (franz-go v1.22.2, storePartitionsUpdate);
// EndTransaction looks for what was produced among the stored ones, finds nothing, and aborts without an error. A Session's
// commit is not in that danger: its offsets are part of the transaction, too.
func (p *TxnProducer) known(ctx context.Context) error {
	p.mu.Lock()
	written := slices.Collect(maps.Keys(p.written))
	p.mu.Unlock()
	for _, at := range written {
		for {
			leader, _, err := p.cl.PartitionLeader(at.topic, at.partition)
			if leader >= 0 && err == nil {
				break
			}
			if waited := pause(ctx, time.Millisecond); waited != nil {
				return fmt.Errorf("wait until %s/%d is known: %w", at.topic, at.partition, waited)
			}
		}
	}
	return nil
}

// Close ends the client. What is open is aborted by the next producer of this id, or when it times out.
func (p *TxnProducer) Close() {
	p.endLife()
	p.cl.Close()
}

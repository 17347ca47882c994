package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const txnTimeout = 10 * time.Second

// TxnProducer publishes in transactions, without a group. Making one fences every older one of its id.
// Produce may be called from several goroutines; Commit, Abort and Close from one, while nobody produces.
type TxnProducer struct {
	cl      *kgo.Client
	id      string
	life    context.Context
	endLife context.CancelFunc

	mu     sync.Mutex
	failed error // the first failure since the transaction began
	broken error // why nothing but Close is left
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
	opts = append(append(opts, producing()...),
		kgo.WithContext(p.life),
		kgo.TransactionalID(transactionalID),
		kgo.TransactionTimeout(txnTimeout),
	)
	if p.cl, err = kgo.NewClient(opts...); err != nil {
		p.endLife()
		return nil, fmt.Errorf("transactional producer: %w", err)
	}
	if _, _, err := p.cl.ProducerID(ctx); err != nil {
		p.Close()
		return nil, fmt.Errorf("take over transactional id %s: %w", transactionalID, classify(err))
	}
	if err := p.cl.BeginTransaction(); err != nil {
		p.Close()
		return nil, fmt.Errorf("begin a transaction of %s: %w", transactionalID, classify(err))
	}
	return p, nil
}

// Produce buffers r, whose Topic and Partition must be set. It blocks while too much is
// buffered, until ctx is done; ctx does not bound the sending. A failure surfaces in Commit.
func (p *TxnProducer) Produce(ctx context.Context, r *Record) {
	r.Context = p.life
	p.cl.Produce(ctx, r, func(r *Record, err error) {
		if err == nil {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.failed == nil {
			p.failed = fmt.Errorf("produce to %s/%d: %w", r.Topic, r.Partition, classify(err))
		}
	})
}

// Commit ends the transaction, and begins the next; nil means that the broker has confirmed. After an error
// only Close is left, and only reading the topic can tell whether the transaction was committed. ctx bounds it.
func (p *TxnProducer) Commit(ctx context.Context) error {
	return p.end(ctx, kgo.TryCommit, "commit")
}

// Abort drops what was produced since the last Commit. After an error only Close is left.
func (p *TxnProducer) Abort(ctx context.Context) error {
	return p.end(ctx, kgo.TryAbort, "abort")
}

func (p *TxnProducer) end(ctx context.Context, how kgo.TransactionEndTry, name string) error {
	if err := p.state(&p.broken); err != nil {
		return err
	}
	err := p.endOnce(ctx, how)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s of a transaction of %s: %w", name, p.id, err)
	p.mu.Lock()
	p.broken = err
	p.mu.Unlock()
	return err
}

func (p *TxnProducer) endOnce(ctx context.Context, how kgo.TransactionEndTry) error {
	settle := p.cl.Flush
	if how == kgo.TryAbort {
		settle = p.cl.AbortBufferedRecords
	}
	if err := settle(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	if how == kgo.TryCommit {
		// The client would commit whatever succeeded.
		if err := p.state(&p.failed); err != nil {
			return err
		}
	}
	if err := p.cl.EndTransaction(ctx, how); err != nil {
		return classifyEnd(err)
	}
	p.mu.Lock()
	p.failed = nil
	p.mu.Unlock()
	if err := p.cl.BeginTransaction(); err != nil {
		return fmt.Errorf("begin the next: %w", classify(err))
	}
	return nil
}

func (p *TxnProducer) state(err *error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *err
}

// Close ends the client. What is open is aborted by the next producer of this id, or when it times out.
func (p *TxnProducer) Close() {
	p.endLife()
	p.cl.Close()
}

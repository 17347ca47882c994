package kafka

import "context"

// TxnProducer publishes in transactions, without a group. Making one fences every older one of its id.
type TxnProducer struct{}

// NewTxnProducer takes over transactionalID: when it returns, no older producer of that id can commit.
func NewTxnProducer(ctx context.Context, o Options, transactionalID string) (*TxnProducer, error) {
	panic("not yet")
}

// Produce buffers r, whose Topic and Partition must be set. A failure surfaces in Commit.
func (p *TxnProducer) Produce(ctx context.Context, r *Record) { panic("not yet") }

// Commit ends the transaction; nil means that the broker has confirmed. After an error only Close is left.
func (p *TxnProducer) Commit(ctx context.Context) error { panic("not yet") }

// Abort drops what was produced since the last Commit.
func (p *TxnProducer) Abort(ctx context.Context) error { panic("not yet") }

// Close ends the client.
func (p *TxnProducer) Close() { panic("not yet") }

// Producer is an idempotent producer without transactions, for `tidemark produce`.
type Producer struct{}

// NewProducer makes a client; it connects with the first record.
func NewProducer(o Options) (*Producer, error) { panic("not yet") }

// Produce sends r, whose Topic and Partition must be set; records of a partition keep their order. It blocks while too
// much is in flight, and returns the first failure of any record so far.
func (p *Producer) Produce(ctx context.Context, r *Record) error { panic("not yet") }

// Flush waits until everything produced is acknowledged, and returns the first failure.
func (p *Producer) Flush(ctx context.Context) error { panic("not yet") }

// Close ends the client; call Flush first.
func (p *Producer) Close() { panic("not yet") }

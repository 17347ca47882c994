package kafka

import "context"

// ReadRange reads the partition's offsets [from, to) as a read-committed consumer, in order, and ends exactly when the position has
// reached to, even if the range ends in markers, aborted records or offsets that compaction took
// away. Control records are passed too (r.Attrs.IsControl()).
func ReadRange(ctx context.Context, o Options, topic string, partition int32, from, to int64, fn func(*Record) error) error {
	panic("not yet")
}

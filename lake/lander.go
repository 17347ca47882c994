package lake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	// DefaultEvery and DefaultBytesMax are the roll policy when none is given.
	DefaultEvery    = time.Minute
	DefaultBytesMax = 64 << 20
	// idleRolls is how many times Every a range without a single record may
	// wait: an entry for the markers of aborted transactions helps a reader that
	// waits for an offset, and one a minute would flood the log.
	idleRolls = 10
	// recordBytesMax bounds one encoded record: Avro readers use 32-bit sizes.
	recordBytesMax = 1 << 30
	reasonBytesMax = 256
)

// LanderOptions configure a lander. All but Now have defaults.
type LanderOptions struct {
	Every    time.Duration // roll by age of the oldest unlanded record; DefaultEvery
	BytesMax int64         // roll by encoded bytes of the partition; DefaultBytesMax
	Budget   *Budget       // shared by the landers of a process; one of 2 x BytesMax of its own
	Now      func() time.Time
	// FirstOffset is where the log of the partition begins if it has not yet:
	// the offset of the first record that the topic still had.
	FirstOffset int64
}

func (o *LanderOptions) ensureDefaults() {
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	if o.BytesMax == 0 {
		o.BytesMax = DefaultBytesMax
	}
	if o.Budget == nil {
		o.Budget = NewBudget(2 * o.BytesMax)
	}
}

func (o *LanderOptions) validate() error {
	var faults []error
	if o.Every < 0 {
		faults = append(faults, fmt.Errorf("roll every %s", o.Every))
	}
	if o.BytesMax < 0 {
		faults = append(faults, fmt.Errorf("roll at %d bytes", o.BytesMax))
	}
	if o.Now == nil {
		faults = append(faults, errors.New("no clock"))
	}
	if o.FirstOffset < 0 {
		faults = append(faults, fmt.Errorf("first offset %d", o.FirstOffset))
	}
	return errors.Join(faults...)
}

// Lander lands one partition. Append, Advance, Due and Seal are for one
// goroutine; Land may run in another meanwhile, for one batch at a time.
//
//	append ──> open span ──Seal──> batch (one in flight) ──Land──> files, entry
type Lander struct {
	topic     *Topic
	partition int32
	o         LanderOptions

	mu      sync.Mutex // for all below; never held during a call of the bucket
	landed  int64      // end of the log as known; open or sealed begins here
	next    int64      // offset behind everything appended or advanced
	open    *span
	sealed  *Batch // in flight
	landing bool
	closed  bool
}

// Batch is a sealed range, ready to be landed. It never changes.
type Batch struct {
	first, end int64
	span       *span
	givenUp    *GivenUp // of GiveUp only
}

// First is the batch's first offset.
func (b *Batch) First() int64 { return b.first }

// End is the offset behind the batch's last.
func (b *Batch) End() int64 { return b.end }

// Records is the number of records in the batch; 0 when only control records
// and gaps lie in its range.
func (b *Batch) Records() int64 { return b.span.records }

// Lander opens a lander at the end of the partition's log, which it begins at
// o.FirstOffset if there is none. It reads the log once, by get.
func (t *Topic) Lander(ctx context.Context, partition int32, o LanderOptions) (*Lander, error) {
	o.ensureDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("open lander of %s/%d: %w", t.declared.Topic, partition, err)
	}
	if partition < 0 {
		return nil, fmt.Errorf("open lander of %s: partition %d", t.declared.Topic, partition)
	}
	end, err := t.begin(ctx, partition, o.FirstOffset)
	if err != nil {
		return nil, fmt.Errorf("open lander of %s/%d: %w", t.declared.Topic, partition, err)
	}
	return &Lander{topic: t, partition: partition, o: o, landed: end, next: end, open: newSpan(o.Budget)}, nil
}

// WaitForRoom blocks until the budget that the lander shares is not used up. The caller must have landed what it
// holds itself; whoever holds the rest must be landing it meanwhile.
func (l *Lander) WaitForRoom(ctx context.Context) error { return l.o.Budget.Wait(ctx) }

// begin puts the start marker if there is none, and walks to the log's end
// without keeping the entries, from where it was last known to end.
func (t *Topic) begin(ctx context.Context, partition int32, first int64) (int64, error) {
	from, ok := t.Landed(partition)
	if !ok {
		var err error
		if from, err = t.start(ctx, partition, first); err != nil {
			return 0, err
		}
	}
	end, err := walkLog(ctx, t.bucket, t.declared.Topic, partition, from, func(Entry) {})
	if err != nil {
		return 0, err
	}
	t.reached(partition, end)
	return end, nil
}

// start is where the log begins: at first, unless it has begun elsewhere.
func (t *Topic) start(ctx context.Context, partition int32, first int64) (int64, error) {
	topic := t.declared.Topic
	start, ok, err := findStart(ctx, t.bucket, topic, partition)
	if err != nil {
		return 0, err
	}
	if !ok {
		marker := startMarker{formatVersion, topic, t.declared.TopicID, partition, first}
		err := putSealed(ctx, t.bucket, startKey(topic, partition), marker)
		crashpoint.Hit("land/begun")
		if err != nil && !errors.Is(err, blob.ErrExists) {
			return 0, fmt.Errorf("begin the lake log: %w", err)
		}
		// Another lander may have begun it elsewhere: what is stored holds.
		if start, _, err = findStart(ctx, t.bucket, topic, partition); err != nil {
			return 0, err
		}
	}
	return start, nil
}

// Next is the offset to append next: everything before it is landed or held.
// It may jump forward when Land finds that another writer was ahead.
func (l *Lander) Next() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Landed is the end of the log as known: everything before it is in the lake.
func (l *Lander) Landed() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.landed
}

// Append takes the next record and copies its bytes. A record before Next is
// landed or held already and is ignored; offsets may leave gaps. ErrFull means
// that the record was not taken: seal and land, then append it again. Other
// errors are about the record and would come again: an event time outside the
// years 1 to 9999, a schema that is not declared, more than 1 GiB.
func (l *Lander) Append(r *Record, ld Landing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Offset < l.next {
		return nil
	}
	key, envelope, size, err := l.place(r, &ld)
	if err != nil {
		return fmt.Errorf("land %s/%d@%d: %w", l.topic.declared.Topic, r.Partition, r.Offset, err)
	}
	f, b := l.open.reserve(key, size, len(envelope), false)
	if f == nil {
		return ErrFull
	}
	if l.open.openedAt.IsZero() {
		l.open.openedAt = l.o.Now()
	}
	if key.quarantine {
		b.buf = appendQuarantine(b.buf, r, ld.Invalid)
	} else {
		b.buf = appendRaw(b.buf, r, ld.Payload)
	}
	l.open.note(f, b, r.Offset, ld.Time, size)
	l.next = r.Offset + 1
	return nil
}

// place says which file a record belongs to, that file's schema, and how many
// bytes the record takes in it.
func (l *Lander) place(r *Record, ld *Landing) (key bufferKey, envelope string, size int, err error) {
	switch {
	case l.closed:
		return key, "", 0, errors.New("the lander is closed")
	case r.Partition != l.partition:
		return key, "", 0, fmt.Errorf("the lander is of partition %d", l.partition)
	case r.Offset == math.MaxInt64:
		return key, "", 0, errors.New("the offset has no successor")
	}
	if ld.Invalid != "" {
		if len(ld.Invalid) > reasonBytesMax || !utf8.ValidString(ld.Invalid) {
			return key, "", 0, fmt.Errorf("the reason has %d bytes or is not UTF-8; a short slug is wanted", len(ld.Invalid))
		}
		key, size = bufferKey{quarantine: true}, quarantineBytes(r, ld.Invalid)
	} else {
		if ld.Time < timeMin || ld.Time > timeMax {
			return key, "", 0, fmt.Errorf("event time %d ms is outside of the years 1 to 9999", ld.Time)
		}
		var declared bool
		if envelope, declared = l.topic.envelope[ld.SchemaID]; !declared {
			return key, "", 0, fmt.Errorf("schema %d is not declared for the topic", ld.SchemaID)
		}
		key, size = bufferKey{hour: hourOf(ld.Time), schemaID: ld.SchemaID}, rawBytes(r, ld.Payload)
	}
	if size > recordBytesMax {
		return key, "", 0, fmt.Errorf("a record of %d bytes, at most %d can be landed", size, recordBytesMax)
	}
	return key, envelope, size, nil
}

// Advance says that the position passed to next, over control records and
// offsets that hold none.
func (l *Lander) Advance(next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if next <= l.next || l.closed {
		return
	}
	l.next = next
	if l.open.openedAt.IsZero() {
		l.open.openedAt = l.o.Now()
	}
}

// Due reports that Seal should be called now: by age, by bytes, by the number
// of open files, or because the budget needs room and this lander holds much
// of it. While a batch is in flight nothing is due.
func (l *Lander) Due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed != nil || l.closed || l.next == l.landed {
		return false
	}
	if l.open.records == 0 {
		return l.age() >= idleRolls*l.o.Every
	}
	return l.open.bytes >= l.o.BytesMax || len(l.open.files) >= openFilesMax ||
		l.o.Budget.pressed(l.open.charged) || l.age() >= l.o.Every
}

func (l *Lander) age() time.Duration { return l.o.Now().Sub(l.open.openedAt) }

// Buffered is the number of encoded bytes that are held and not landed.
func (l *Lander) Buffered() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.open.bytes
	if l.sealed != nil {
		n += l.sealed.span.bytes
	}
	return n
}

// Seal ends the open range at Next and returns it as a batch to be landed; nil
// when there is nothing new or a batch is in flight. Appending may go on.
func (l *Lander) Seal() *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed != nil || l.closed || l.next == l.landed {
		return nil
	}
	l.sealed = &Batch{first: l.landed, end: l.next, span: l.open}
	l.open.seal()
	l.open = newSpan(l.o.Budget)
	return l.sealed
}

// Close drops what is held and gives its memory back to the budget, once a
// running Land has ended. Nothing is lost: the records are still in the topic.
func (l *Lander) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.open.free()
	if !l.landing && l.sealed != nil {
		l.sealed.span.free()
		l.sealed = nil
	}
}

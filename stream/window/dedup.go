package window

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// dedup knows the identities of the events in open windows, by the watermark at which they are forgotten: the
// latest close of any of their windows, late or not. That is a function of the event's time, so copies share it.
// For each identity it keeps how many windows of each output have counted it, so that a copy that arrives by another
// source partition fills the windows that the first one missed, whichever comes first (model copies.py, "per window").
// The numbers are packed in one word: 1 bit for an output with one window of a time, so that a word is then a set of
// outputs, and as many as the number needs for one with several.
type dedup struct {
	buckets []bucketRef // ascending expiry
	near    *bucket     // last used
	nearAt  int64       // its expiry
	shape   shape
	fields  uint64 // the bits of all outputs
	all     uint64 // the word of an event that all windows of all outputs have counted, where there are most
	salt    uint64
	gone    timeRange // expiries of buckets that the Backing still has and shouldn't
}

// bucketRef is a bucket; b is nil when all of it is in the Backing.
type bucketRef struct {
	expiry  int64
	written int64 // identities that the Backing's header tells of
	b       *bucket
}

// bucket is what memory holds of the identities that expire together.
type bucket struct {
	ids     identities
	clean   int      // records from here on have come since the last Write
	changed []uint32 // records before it that other outputs have counted since
	filters filters  // of the identities that only the Backing has
	partial bool     // there are such identities
	blind   bool     // they have no filter: memory is too short even for that
	count   int64
	written int64
	touched uint64
}

const wordBits = 64 // of a packed word

const bucketBytes = 256 // of a bucket without its tables

// bucketAt finds or makes the bucket of an expiry.
func (e *Engine) bucketAt(expiry int64) (*bucket, error) {
	d := &e.seen
	if d.near != nil && d.nearAt == expiry {
		return d.near, nil
	}
	i, found := slices.BinarySearchFunc(d.buckets, expiry, func(r bucketRef, t int64) int { return cmp.Compare(r.expiry, t) })
	if !found {
		d.buckets = slices.Insert(d.buckets, i, bucketRef{expiry: expiry})
		e.mem.note(refBytes)
	}
	ref := &d.buckets[i]
	if ref.b == nil {
		b := &bucket{count: ref.written, written: ref.written}
		e.mem.note(bucketBytes)
		if ref.written > 0 {
			if err := e.loadFilter(b, expiry); err != nil {
				return nil, err
			}
		}
		ref.b = b
	}
	d.near, d.nearAt = ref.b, expiry
	return ref.b, nil
}

// loadFilter reads the identities of a stored bucket into a filter.
func (e *Engine) loadFilter(b *bucket, expiry int64) error {
	b.partial = true
	b.filters.reserve(int(b.written), &e.mem)
	n := int64(0)
	lo, hi := appendEventKey(nil, prefixEvent, expiry), appendEventKey(nil, prefixEvent, expiry+1)
	err := e.back.Scan(lo, hi, func(k, _ []byte) error {
		if len(k) != eventPrefixLen+identityLen {
			return &CorruptError{Key: slices.Clone(k), What: fmt.Sprintf("the key of an identity has %d bytes, not %d", len(k), eventPrefixLen+identityLen)}
		}
		n++
		b.filters.add(identityOf(k[eventPrefixLen:]))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read identities that expire at %d: %w", expiry, err)
	}
	if n != b.written {
		return &CorruptError{Key: appendEventKey(nil, prefixEventHeader, expiry), What: fmt.Sprintf("%d identities, where the header has %d", n, b.written)}
	}
	return nil
}

// count raises the numbers of windows that have counted id to those of the packed word fill, and returns what they
// were before: 0 if the event is new.
func (e *Engine) count(expiry int64, id identity, fill uint64) (before uint64, err error) {
	b, err := e.bucketAt(expiry)
	if err != nil {
		return 0, err
	}
	b.touched = e.epoch
	sh := &e.seen.shape
	at := b.ids.find(id, sh, e.seen.salt)
	if at >= 0 {
		before = b.ids.outputs(at, sh)
		if after := e.greatest(before, fill); after != before {
			b.ids.setOutputs(at, after, sh)
			if at < b.clean {
				b.changed = noted(append(b.changed, uint32(at)), b.changed, &e.mem)
			}
		}
		return before, nil
	}
	if b.partial && (b.blind || b.filters.has(id)) {
		before, err = e.storedOutputs(expiry, id)
		if err != nil || before != 0 && e.greatest(before, fill) == before {
			return before, err // nothing to remember: the Backing knows it all
		}
	}
	if before == 0 {
		b.count++
	}
	at = b.ids.insert(id, sh, e.seen.salt, &e.mem)
	b.ids.setOutputs(at, e.greatest(before, fill), sh)
	return before, nil
}

// storedOutputs is what the Backing has for an identity: 0 if it has nothing.
func (e *Engine) storedOutputs(expiry int64, id identity) (uint64, error) {
	e.keyBuf = id.append(appendEventKey(e.keyBuf[:0], prefixEvent, expiry))
	val, ok, err := e.back.Get(e.keyBuf)
	if err != nil {
		return 0, fmt.Errorf("read an identity that expires at %d: %w", expiry, err)
	}
	if !ok {
		return 0, nil
	}
	word, err := e.decodeWord(val)
	if err != nil {
		return 0, &CorruptError{Key: slices.Clone(e.keyBuf), What: "outputs of an identity", Err: err}
	}
	return word, nil
}

// appendWord appends a packed word: nothing for all windows of all outputs, which is the rule, else the shortest
// little-endian bytes.
func appendWord(dst []byte, word, all uint64) []byte {
	if word == all {
		return dst
	}
	for ; word != 0; word >>= 8 {
		dst = append(dst, byte(word))
	}
	return dst
}

func (e *Engine) decodeWord(val []byte) (uint64, error) {
	if len(val) == 0 {
		return e.seen.all, nil
	}
	if len(val) > 8 || val[len(val)-1] == 0 {
		return 0, fmt.Errorf("% x is no number of windows for each output", val)
	}
	var buf [8]byte
	copy(buf[:], val)
	word := binary.LittleEndian.Uint64(buf[:])
	if !e.sound(word) || word == e.seen.all {
		return 0, fmt.Errorf("% x is no number of windows for each output", val)
	}
	return word, nil
}

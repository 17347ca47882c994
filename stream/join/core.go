package join

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"

	"github.com/tidemark-io/tidemark/stream/window"
)

// core is what both operators have: where state lives, how much of it is in memory, how far it is closed.
type core struct {
	back  window.Backing
	limit int64 // bytes of memory; 0: none
	used  int64 // bytes in memory
	added int64 // bytes since the last Write, about
	seed  maphash.Seed
	salt  uint64
	epoch uint64 // number of Writes

	kind     byte
	layout   [8]byte // hash of what results depend on
	lateness int64
	closed   int64  // watermark of the last Close
	stored   []byte // value of the meta key in the Backing; nil: none
	err      error  // the first error

	keyBuf, valBuf, endBuf []byte
	page                   page
}

const (
	metaVersion = 1
	metaLen     = 1 + 1 + 8 + timeLen // and a number
)

func newCore(back window.Backing, limit, lateness int64) core {
	return core{back: back, limit: limit, lateness: lateness, seed: maphash.MakeSeed(), salt: rand.Uint64(), epoch: 1, closed: window.NoWatermark, page: page{max: pageItems}}
}

// fail makes the operator unusable: its state may be half changed.
func (c *core) fail(err error) error {
	if c.err == nil {
		c.err = err
	}
	return err
}

// admit checks what the caller of Add must uphold.
func (c *core) admit(side Side, ev *event, watermark int64) error {
	switch {
	case c.err != nil:
		return c.err
	case side > Right:
		return fmt.Errorf("side %d of a join of two", side)
	case watermark < c.closed:
		return fmt.Errorf("%w: %d, the join is closed up to %d", window.ErrWatermarkFell, watermark, c.closed)
	case ev.t < window.TimeMin || ev.t > window.TimeMax:
		return fmt.Errorf("event time %d ms is outside the years 1 to 9999", ev.t)
	case len(ev.key) > KeyMax:
		return fmt.Errorf("a join key of %d bytes: at most %d", len(ev.key), KeyMax)
	case len(ev.row) > RowMax:
		return fmt.Errorf("a row of %d bytes in a join: at most %d", len(ev.row), RowMax)
	case c.limit > 0 && c.back == nil && c.used > c.limit:
		return fmt.Errorf("buffers of a join: %w: %d bytes, at most %d", window.ErrMemory, c.used, c.limit)
	}
	c.added += int64(len(ev.key)+len(ev.row)) + eventOverhead
	return nil
}

// eventOverhead is about what an event takes in a batch beside its key and row.
const eventOverhead = 64

// SetMemoryMax sets the limit of memory, from the next Write on.
func (c *core) SetMemoryMax(bytes int64) { c.limit = bytes }

// Unwritten is about how many bytes the next Write will set.
func (c *core) Unwritten() int64 { return c.added }

// admitClose checks a watermark given to Close.
func (c *core) admitClose(watermark int64) error {
	if c.err == nil && watermark < c.closed {
		return fmt.Errorf("%w: close to %d, the join is closed up to %d", window.ErrWatermarkFell, watermark, c.closed)
	}
	return c.err
}

// settled is the highest time whose events are late by now for every partition.
func (c *core) settled(watermark int64) int64 {
	if watermark < window.NoWatermark+c.lateness {
		return window.NoWatermark
	}
	return min(watermark-c.lateness, window.TimeMax)
}

// readMeta finds what an earlier operator has left; versions is the number that it wrote beside.
func (c *core) readMeta() (found bool, versions int64, err error) {
	key := []byte{prefixMeta}
	val, found, err := c.back.Get(key)
	if err != nil {
		return false, 0, fmt.Errorf("read meta: %w", err)
	}
	if !found {
		return false, 0, c.checkEmpty([]byte{prefixEvent}, []byte{prefixEnd}, "without a meta key")
	}
	if len(val) == 0 || val[0] != metaVersion {
		return false, 0, fmt.Errorf("join state of version % x, this program reads version %d: delete the state directory, it is rebuilt from a checkpoint or the log", val[:min(1, len(val))], metaVersion)
	}
	if len(val) < metaLen {
		return false, 0, &window.CorruptError{Key: key, What: fmt.Sprintf("meta of a join: %d bytes", len(val))}
	}
	if kind, hash := val[1], val[2:10]; kind != c.kind || !bytes.Equal(hash, c.layout[:]) {
		return false, 0, fmt.Errorf("join state: %w: kind %c, layout %x, now %c, %x", window.ErrOtherLayout, kind, hash, c.kind, c.layout)
	}
	n, rest, err := uvarint(val[metaLen:])
	if err != nil || len(rest) != 0 || n > countMax {
		return false, 0, &window.CorruptError{Key: key, What: fmt.Sprintf("meta of a join: %d versions, and %d bytes more", n, len(rest)), Err: err}
	}
	c.closed = timeAt(val[10:])
	c.stored = slices.Clone(val)
	return true, int64(n), nil
}

func (c *core) writeMeta(w window.Writer, versions int64) error {
	c.added = 0
	c.valBuf = append(c.valBuf[:0], metaVersion, c.kind)
	c.valBuf = append(c.valBuf, c.layout[:]...)
	c.valBuf = appendTime(c.valBuf, c.closed)
	c.valBuf = binary.AppendUvarint(c.valBuf, uint64(versions))
	if bytes.Equal(c.valBuf, c.stored) {
		return nil
	}
	if err := w.Set([]byte{prefixMeta}, c.valBuf); err != nil {
		return fmt.Errorf("set meta: %w", err)
	}
	c.stored = append(c.stored[:0], c.valBuf...)
	return nil
}

var errStop = errors.New("stop the scan")

// checkEmpty makes sure that the Backing has no key of [lo, hi).
func (c *core) checkEmpty(lo, hi []byte, why string) error {
	var key []byte
	err := c.back.Scan(lo, hi, func(k, _ []byte) error {
		key = slices.Clone(k)
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return fmt.Errorf("look for state: %w", err)
	}
	if key != nil {
		return &window.CorruptError{Key: key, What: "state of a join " + why}
	}
	return nil
}

// crowded says that memory is above its limit and that some of it can be read again.
func (c *core) crowded() bool { return c.back != nil && c.limit > 0 && c.used > c.limit }

// goal is how much memory an eviction leaves.
func (c *core) goal() int64 { return c.limit / 4 * 3 }

// roomFor says whether n bytes more may be read into memory for the sake of speed.
func (c *core) roomFor(n int64) bool { return c.limit == 0 || c.used+n <= c.limit/2 }

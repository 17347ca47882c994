package window

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// discover finds what an earlier engine has left: the meta key, and the headers of open windows and of buckets of
// identities. It reads no records.
func (e *Engine) discover() error {
	found, err := e.readMeta()
	if err != nil {
		return err
	}
	if !found {
		return e.checkEmpty()
	}
	if err := e.back.Scan([]byte{prefixWindowHeader}, []byte{prefixWindowHeader + 1}, e.readWindowHeader); err != nil {
		return fmt.Errorf("find open windows: %w", err)
	}
	for i := range e.outs {
		if s := e.outs[i].sess; s != nil {
			if err := s.discover(); err != nil {
				return fmt.Errorf("find open sessions: %w", err)
			}
		}
	}
	if err := e.back.Scan([]byte{prefixEventHeader}, []byte{prefixEventHeader + 1}, e.readEventHeader); err != nil {
		return fmt.Errorf("find identities: %w", err)
	}
	return nil
}

func (e *Engine) readMeta() (found bool, err error) {
	val, found, err := e.back.Get([]byte{prefixMeta})
	if err != nil || !found {
		return false, err
	}
	if len(val) == 0 || val[0] != metaVersion {
		return false, fmt.Errorf("window state of version % x, this program reads version %d: delete the state directory, it is rebuilt from a checkpoint or the log", val[:min(1, len(val))], metaVersion)
	}
	if len(val) != 1+len(e.hash)+8 {
		return false, &CorruptError{Key: []byte{prefixMeta}, What: fmt.Sprintf("%d bytes", len(val))}
	}
	if hash := val[1 : 1+len(e.hash)]; !bytes.Equal(hash, e.hash[:]) {
		return false, fmt.Errorf("%w: layout %x, now %x", ErrOtherLayout, hash, e.hash)
	}
	e.closed = timeAt(val[1+len(e.hash):])
	e.meta, e.wroteMeta = e.closed, true
	return true, nil
}

var errStop = errors.New("stop the scan")

// checkEmpty makes sure that a Backing without a meta key has nothing of ours.
func (e *Engine) checkEmpty() error {
	var key []byte
	err := e.back.Scan([]byte{prefixWindow}, []byte{prefixEnd}, func(k, _ []byte) error {
		key = slices.Clone(k)
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	if key != nil {
		return &CorruptError{Key: key, What: "state without a meta key"}
	}
	return nil
}

// readWindowHeader enters one open window.
func (e *Engine) readWindowHeader(k, v []byte) error {
	corrupt := func(format string, args ...any) error {
		return &CorruptError{Key: slices.Clone(k), What: "header of a window: " + fmt.Sprintf(format, args...)}
	}
	if len(k) != windowPrefixLen {
		return corrupt("a key of %d bytes", len(k))
	}
	i, start := int(binary.BigEndian.Uint16(k[1:])), timeAt(k[3:])
	if i >= len(e.outs) {
		return corrupt("output %d of %d", i, len(e.outs))
	}
	o := &e.outs[i]
	if o.sess != nil {
		return corrupt("output %d has sessions", i)
	}
	if start < TimeMin-o.Size-dayMs || start > TimeMax {
		return corrupt("no window of %d ms starts at %d", o.Size, start)
	}
	w, ok := o.of(start)
	if !ok {
		return corrupt("no window of %d ms starts at %d", o.Size, start)
	}
	if w.End+o.Lateness <= e.closed {
		return corrupt("the window at %d is open, but the watermark has passed %d", start, e.closed)
	}
	n, err := readCount(v)
	if err != nil {
		return corrupt("%v", err)
	}
	o.panes = append(o.panes, paneRef{Span: w, groups: n})
	o.groups += n
	e.mem.note(refBytes)
	return nil
}

// readEventHeader enters one bucket of identities.
func (e *Engine) readEventHeader(k, v []byte) error {
	corrupt := func(format string, args ...any) error {
		return &CorruptError{Key: slices.Clone(k), What: "header of identities: " + fmt.Sprintf(format, args...)}
	}
	if len(k) != eventPrefixLen {
		return corrupt("a key of %d bytes", len(k))
	}
	expiry := timeAt(k[1:])
	if expiry <= e.closed {
		return corrupt("they expire at %d, but the watermark has passed %d", expiry, e.closed)
	}
	n, err := readCount(v)
	if err != nil {
		return corrupt("%v", err)
	}
	e.seen.buckets = append(e.seen.buckets, bucketRef{expiry: expiry, written: n})
	e.mem.note(refBytes)
	return nil
}

// readCount reads the value of a header.
func readCount(v []byte) (int64, error) {
	if len(v) == 0 || v[0] != headerVersion {
		return 0, fmt.Errorf("version % x, not %d", v[:min(1, len(v))], headerVersion)
	}
	n, rest, err := uvarint(v[1:])
	if err != nil {
		return 0, err
	}
	if len(rest) != 0 || n == 0 || n > 1<<48 {
		return 0, fmt.Errorf("a count of %d, and %d bytes more", n, len(rest))
	}
	return int64(n), nil
}

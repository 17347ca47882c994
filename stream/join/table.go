package join

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/stream/window"
)

// table is the versions of an enrichment: of every key the unsettled ones, and the newest settled one. Memory has all
// versions of a key or none.
type table struct {
	core  *core
	keys  map[string]*series
	whole bool // the Backing has no key that memory hasn't
	n     int64

	dirty []*series // with changes that aren't written
	gone  [][]byte  // state keys to be deleted by the next Write
	read  int64     // bytes read into memory since the last eviction
}

// series is the versions of one key, by (time, identity).
type series struct {
	key      string
	versions []version
	dirty    bool
	touched  uint64
	held     int64
}

type version struct {
	t      int64
	id     [idLen]byte
	row    []byte
	stored bool
}

const (
	seriesBytes  = 160 // of a series with its place in the map
	versionBytes = 64
)

func newTable(c *core) table { return table{core: c, keys: map[string]*series{}, whole: true} }

func (t *table) account(s *series) {
	size := int64(seriesBytes + len(s.key) + cap(s.versions)*versionBytes)
	for i := range s.versions {
		size += int64(cap(s.versions[i].row))
	}
	t.core.used += size - s.held
	s.held = size
}

// of is the versions of a key; nil if there can be none and none shall be made.
func (t *table) of(key []byte, make bool) (*series, error) {
	s := t.keys[string(key)]
	if s == nil {
		if t.whole && !make {
			return nil, nil
		}
		s = &series{key: string(key)}
		if !t.whole {
			if err := t.load(s); err != nil {
				return nil, err
			}
		}
		t.keys[s.key] = s
		t.account(s)
	}
	s.touched = t.core.epoch
	return s, nil
}

// load reads the versions of a key, and makes room when much has been read since the last Write.
func (t *table) load(s *series) error {
	c := t.core
	if c.crowded() && t.read > c.limit/8 {
		t.evict(c.epoch + 1)
		t.read = 0
	}
	c.keyBuf = appendJoinKey(append(c.keyBuf[:0], prefixVersion), []byte(s.key))
	c.endBuf = successor(append(c.endBuf[:0], c.keyBuf...))
	err := c.back.Scan(c.keyBuf, c.endBuf, func(k, v []byte) error {
		var ev event
		if err := parseVersion(k, v, &ev); err != nil {
			return err
		}
		s.versions = append(s.versions, version{t: ev.t, id: ev.id, row: append([]byte{}, ev.row...), stored: true})
		t.read += versionBytes + int64(len(ev.row))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the versions of a key: %w", err)
	}
	t.read += seriesBytes
	return nil
}

// successor is the first key above all that begin with prefix, whose first byte isn't 0xff. It changes prefix.
func successor(prefix []byte) []byte {
	for prefix[len(prefix)-1] == 0xff {
		prefix = prefix[:len(prefix)-1]
	}
	prefix[len(prefix)-1]++
	return prefix
}

func parseVersion(k, v []byte, ev *event) error {
	corrupt := func(err error) error {
		return &window.CorruptError{Key: slices.Clone(k), What: "version of a table", Err: err}
	}
	if len(k) == 0 {
		return corrupt(errShort)
	}
	if err := parseByKey(k[1:], ev); err != nil {
		return corrupt(err)
	}
	if ev.t < window.TimeMin || ev.t > window.TimeMax {
		return corrupt(fmt.Errorf("time %d", ev.t))
	}
	if len(v) == 0 || v[0] != rowVersion {
		return corrupt(fmt.Errorf("version % x, not %d", v[:min(1, len(v))], rowVersion))
	}
	ev.row = v[1:]
	return nil
}

var errVersionTwice = errors.New("a version that isn't unsettled is there")

// add takes a version that isn't there.
func (t *table) add(ev *event) error {
	s, err := t.of(ev.key, true)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(s.versions, ev, func(v version, ev *event) int {
		return compareEvents(&event{t: v.t, id: v.id}, &event{t: ev.t, id: ev.id})
	})
	if found {
		return &window.CorruptError{Key: s.appendStateKey(nil, &s.versions[at]), What: "version of a table", Err: errVersionTwice}
	}
	s.versions = slices.Insert(s.versions, at, version{t: ev.t, id: ev.id, row: append([]byte{}, ev.row...)})
	t.n++
	t.mark(s)
	t.account(s)
	return nil
}

func (t *table) mark(s *series) {
	if !s.dirty {
		s.dirty = true
		t.dirty = append(t.dirty, s)
	}
}

// upTo is the number of versions with a time up to `at`.
func (s *series) upTo(at int64) int {
	n, _ := slices.BinarySearchFunc(s.versions, at, func(v version, at int64) int {
		if v.t <= at {
			return -1
		}
		return 1
	})
	return n
}

// inForce is the version of a key at a time: the newest up to it, of equal ones that of the highest identity. nil:
// there is none.
func (t *table) inForce(key []byte, at int64) (*version, error) {
	s, err := t.of(key, false)
	if err != nil || s == nil {
		return nil, err
	}
	n := s.upTo(at)
	if n == 0 {
		return nil, nil
	}
	return &s.versions[n-1], nil
}

// settle lets go of the versions of a key that are older than its newest one with a time up to `to`.
func (t *table) settle(key []byte, to int64) error {
	s, err := t.of(key, false)
	if err != nil || s == nil {
		return err
	}
	old := s.upTo(to) - 1
	if old <= 0 {
		return nil
	}
	for i := range s.versions[:old] {
		if s.versions[i].stored {
			k := s.appendStateKey(nil, &s.versions[i])
			t.gone = append(t.gone, k)
			t.core.used += int64(cap(k)) + 24
			t.mark(s) // until they are deleted, the Backing doesn't know what memory knows
		}
	}
	s.versions = slices.Delete(s.versions, 0, old)
	t.n -= int64(old)
	t.account(s)
	return nil
}

func (s *series) appendStateKey(dst []byte, v *version) []byte {
	dst = binary.AppendUvarint(append(dst, prefixVersion), uint64(len(s.key)))
	dst = append(dst, s.key...)
	return append(appendTime(dst, v.t), v.id[:]...)
}

// write hands w the changes since the last Write.
func (t *table) write(w window.Writer) error {
	for _, k := range t.gone {
		if err := w.Delete(k); err != nil {
			return fmt.Errorf("delete a version: %w", err)
		}
		t.core.used -= int64(cap(k)) + 24
	}
	t.gone = nil
	c := t.core
	for _, s := range t.dirty {
		s.dirty = false
		for i := range s.versions {
			v := &s.versions[i]
			if v.stored {
				continue
			}
			c.valBuf = append(append(c.valBuf[:0], rowVersion), v.row...)
			c.keyBuf = s.appendStateKey(c.keyBuf[:0], v)
			if err := w.Set(c.keyBuf, c.valBuf); err != nil {
				return fmt.Errorf("set a version: %w", err)
			}
			v.stored = true
		}
	}
	t.dirty = t.dirty[:0]
	return nil
}

// evict lets go of the keys in memory that were last used before an epoch and have no changes that aren't written,
// until memory is down to the goal.
func (t *table) evict(before uint64) {
	for key, s := range t.keys {
		if t.core.used <= t.core.goal() {
			return
		}
		if s.touched < before && !s.dirty {
			t.core.used -= s.held
			delete(t.keys, key)
			t.whole = false
		}
	}
}

package join

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// bucket is the events of one span of time on one shelf. Memory holds them without pointers within: entries in the
// order of their arrival, their keys and rows in an arena, two indexes to find them; and lets go of them as a whole.
type bucket struct {
	start   int64
	salt    uint64 // without it, identities could be made that all meet in one place
	count          // events in the state, those only in the Backing included
	written count  // what the header in the Backing tells; zero: there is none

	entries []entry
	groups  []group
	ids     index // entries by identity
	keys    index // groups by key
	bytes   arena
	due     []uint32 // heap of the entries that are to be emitted; nil until the first is
	heaped  bool

	clean   int    // entries[:clean] are in the Backing
	partial bool   // the Backing may have events that memory hasn't
	touched uint64 // epoch of the last use
	held    int64  // bytes in memory
}

// entry is one event in memory.
type entry struct {
	t     int64
	id    [idLen]byte
	row   ref
	group uint32
	next  uint32 // 1 + the entry of the same key before this one; 0: none
}

// group is the events of one key.
type group struct {
	hash uint64
	key  ref
	last uint32 // 1 + its latest entry
}

const (
	bucketBytes = 320 // of a bucket without what it points to
	entryBytes  = 8 + idLen + 12 + 4 + 4 + 4
	groupBytes  = 8 + 12 + 4
)

// findGroup is the group of a key, or -1.
func (b *bucket) findGroup(hash uint64, key []byte) int {
	return b.keys.find(hash, func(i int) bool {
		return b.groups[i].hash == hash && string(b.bytes.at(b.groups[i].key)) == string(key)
	})
}

// find is the entry of an event in memory, or -1.
func (b *bucket) find(g int, ev *event) int {
	if g < 0 {
		return -1
	}
	return b.ids.find(b.idHash(&ev.id), func(i int) bool {
		e := &b.entries[i]
		return e.id == ev.id && e.t == ev.t && e.group == uint32(g)
	})
}

// idHash is a piece of an identity, which is a hash already.
func (b *bucket) idHash(id *[idLen]byte) uint64 {
	return (binary.LittleEndian.Uint64(id[:]) ^ b.salt) * 0x9e3779b97f4a7c15
}

// insert adds an event that isn't in memory; g is its group if there is one.
func (b *bucket) insert(g int, hash uint64, ev *event) {
	if g < 0 {
		g = len(b.groups)
		b.groups = append(b.groups, group{hash: hash, key: b.bytes.add(ev.key)})
		if b.keys.full() {
			b.keys.grow(len(b.groups)-1, func(i int) uint64 { return b.groups[i].hash })
		}
		b.keys.place(hash, g)
	}
	i := len(b.entries)
	b.entries = append(b.entries, entry{t: ev.t, id: ev.id, row: b.bytes.add(ev.row), group: uint32(g), next: b.groups[g].last})
	b.groups[g].last = uint32(i + 1)
	if b.ids.full() {
		b.ids.grow(i, func(i int) uint64 { return b.idHash(&b.entries[i].id) })
	}
	b.ids.place(b.idHash(&ev.id), i)
	if b.heaped {
		b.pushDue(uint32(i))
	}
}

// event is entry i. Its slices stay as long as the bucket.
func (b *bucket) event(i int) event {
	e := &b.entries[i]
	return event{t: e.t, id: e.id, key: b.bytes.at(b.groups[e.group].key), row: b.bytes.at(e.row)}
}

// within appends the events of a key with a time from lo to hi, in the order (time, identity).
func (b *bucket) within(dst []event, hash uint64, key []byte, lo, hi int64) []event {
	g := b.findGroup(hash, key)
	if g < 0 {
		return dst
	}
	for at := b.groups[g].last; at != 0; at = b.entries[at-1].next {
		if e := &b.entries[at-1]; e.t >= lo && e.t <= hi {
			dst = append(dst, event{t: e.t, id: e.id, key: key, row: b.bytes.at(e.row)})
		}
	}
	slices.SortFunc(dst, func(x, y event) int { return compareEvents(&x, &y) })
	return dst
}

// compareEvents orders by (time, identity, key).
func compareEvents(x, y *event) int {
	if c := cmp.Compare(x.t, y.t); c != 0 {
		return c
	}
	if c := slices.Compare(x.id[:], y.id[:]); c != 0 {
		return c
	}
	return slices.Compare(x.key, y.key)
}

// size is the bytes that the bucket has in memory.
func (b *bucket) size() int64 {
	return bucketBytes + int64(cap(b.entries))*entryBytes + int64(cap(b.groups))*groupBytes +
		int64(len(b.ids.slots)+len(b.keys.slots)+cap(b.due))*4 + b.bytes.size
}

// evict forgets what is in memory. All of it must be stored.
func (b *bucket) evict() {
	b.entries, b.groups, b.due = nil, nil, nil
	b.ids, b.keys, b.bytes = index{}, index{}, arena{}
	b.clean, b.heaped, b.partial = 0, false, b.n > 0
}

func hashKey(seed maphash.Seed, key []byte) uint64 { return maphash.Bytes(seed, key) }

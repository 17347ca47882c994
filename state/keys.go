package state

import (
	"bytes"
	"fmt"
	"strconv"
)

// SchemaVersion is the version of the key layout that this release writes and
// reads: FORMAT.md.
const SchemaVersion = 1

// prefixMeta is the first byte of the store's own keys. Every other first byte
// belongs to the package that Kinds names beside it.
const prefixMeta = 0x00

var (
	keySchema = []byte{prefixMeta, 's'} // decimal text of SchemaVersion
	keyCut    = []byte{prefixMeta, 'c'} // JSON of the Cut
	keyFirst  = []byte{prefixMeta + 1}  // where other packages' keys begin
)

// Kind is one kind of key.
type Kind struct {
	Name     string
	Prefix   byte
	KeyBytes int  // length of a key, or the least when it varies
	Varies   bool // what follows has no fixed length
}

// Kinds lists the kinds of keys that a store may hold, in order of prefix.
// Anything else is a fault to Check. The store only knows where each kind
// begins and how long its keys are; their owner describes them.
func Kinds() []Kind {
	return []Kind{
		{Name: "meta", Prefix: prefixMeta, KeyBytes: 2},
		// stream/window: FORMAT.md there
		{Name: "window", Prefix: 0x10, KeyBytes: 1 + 2 + 8, Varies: true}, // and the group's key
		{Name: "window-header", Prefix: 0x11, KeyBytes: 1 + 2 + 8},
		{Name: "window-meta", Prefix: 0x12, KeyBytes: 1},
		{Name: "session", Prefix: 0x13, KeyBytes: 1 + 2 + 8 + 8, Varies: true}, // and the group's key within
		{Name: "session-span", Prefix: 0x14, KeyBytes: 1 + 2 + 8},
		{Name: "session-due", Prefix: 0x15, KeyBytes: 1 + 2 + 8 + 8, Varies: true},
		{Name: "dedup", Prefix: 0x20, KeyBytes: 1 + 8 + 16},
		{Name: "dedup-header", Prefix: 0x21, KeyBytes: 1 + 8},
		// stream/join: FORMAT.md there
		{Name: "join-event", Prefix: 0x30, KeyBytes: 35, Varies: true},
		{Name: "join-event-header", Prefix: 0x31, KeyBytes: 10},
		{Name: "join-held", Prefix: 0x32, KeyBytes: 25, Varies: true},
		{Name: "join-held-header", Prefix: 0x33, KeyBytes: 9},
		{Name: "join-version", Prefix: 0x34, KeyBytes: 26, Varies: true},
		{Name: "join-unsettled", Prefix: 0x35, KeyBytes: 25, Varies: true},
		{Name: "join-unsettled-header", Prefix: 0x36, KeyBytes: 9},
		{Name: "join-meta", Prefix: 0x3f, KeyBytes: 1},
	}
}

// kindOf returns the kind of key, or why it is none.
func kindOf(kinds []Kind, key []byte) (Kind, error) {
	for _, k := range kinds {
		if len(key) == 0 || key[0] != k.Prefix {
			continue
		}
		if len(key) < k.KeyBytes || !k.Varies && len(key) != k.KeyBytes {
			return k, fmt.Errorf("%s key of %d bytes, want %d", k.Name, len(key), k.KeyBytes)
		}
		if k.Prefix == prefixMeta && !bytes.Equal(key, keySchema) && !bytes.Equal(key, keyCut) {
			return k, fmt.Errorf("%s key that nothing writes", k.Name)
		}
		return k, nil
	}
	return Kind{}, errUnknownPrefix
}

var errUnknownPrefix = fmt.Errorf("no kind of key begins like this")

func encodeSchema() []byte { return strconv.AppendInt(nil, SchemaVersion, 10) }

// decodeSchema reads the schema version. Errors are the bytes' fault, except
// ErrNewerVersion.
func decodeSchema(val []byte) error {
	v, err := strconv.Atoi(string(val))
	switch {
	case err != nil || v < 1:
		return fmt.Errorf("schema version is %q", val)
	case v > SchemaVersion:
		return fmt.Errorf("key layout %d, this release reads %d: %w", v, SchemaVersion, ErrNewerVersion)
	}
	return nil
}

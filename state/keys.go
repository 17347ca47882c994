package state

import (
	"bytes"
	"fmt"
	"strconv"
)

// SchemaVersion is the version of the key layout that this release writes and
// reads: FORMAT.md.
const SchemaVersion = 1

// The first byte of a key says whose it is. 0x00 is the store's own; the
// others belong to the packages that write through Batch.
const (
	prefixMeta   = 0x00
	prefixWindow = 0x10
	prefixDedup  = 0x20
)

var (
	keySchema = []byte{prefixMeta, 's'} // decimal text of SchemaVersion
	keyCut    = []byte{prefixMeta, 'c'} // JSON of the Cut
	keyFirst  = []byte{prefixMeta + 1}  // where other packages' keys begin
)

// Kind is one kind of key.
type Kind struct {
	Name     string
	Prefix   byte
	KeyBytes int // length without what varies: the least that a key has
	Fixed    bool
}

// Kinds lists the kinds of keys that a store may hold, in order of prefix.
// Anything else is a fault to Check.
func Kinds() []Kind {
	return []Kind{
		{Name: "meta", Prefix: prefixMeta, KeyBytes: 2, Fixed: true},
		{Name: "window", Prefix: prefixWindow, KeyBytes: 1 + 2 + 8},
		{Name: "dedup", Prefix: prefixDedup, KeyBytes: 1 + 8 + 16, Fixed: true},
	}
}

// kindOf returns the kind of key, or why it is none.
func kindOf(kinds []Kind, key []byte) (Kind, error) {
	for _, k := range kinds {
		if len(key) == 0 || key[0] != k.Prefix {
			continue
		}
		if len(key) < k.KeyBytes || k.Fixed && len(key) != k.KeyBytes {
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

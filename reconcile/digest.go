package reconcile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sort"
)

// hasher hashes a sequence of fields unambiguously: each is led by its length.
type hasher struct{ h hash.Hash }

func newHasher(what string) hasher {
	x := hasher{sha256.New()}
	x.text(what)
	return x
}

func (x hasher) bytes(b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	x.h.Write(n[:])
	x.h.Write(b)
}

func (x hasher) text(s string) { x.bytes([]byte(s)) }

func (x hasher) int(i int64) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(i))
	x.h.Write(n[:])
}

func (x hasher) sum() []byte { return x.h.Sum(nil) }

// inputDigest names a set of input files: the same set, in whatever order, has the same digest.
func inputDigest(files []unitFile) string {
	lines := make([]string, len(files))
	for i := range files {
		lines[i] = files[i].Path + "\x00" + files[i].SHA256
	}
	sort.Strings(lines)
	x := newHasher("tidemark input v1")
	for _, l := range lines {
		x.text(l)
	}
	return sha(x.sum())
}

// sha writes a SHA-256 as documents do.
func sha(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

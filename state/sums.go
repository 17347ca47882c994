package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the two checksums of one file: CRC-32C tells accidents cheaply, and
// SHA-256 names the object, so that no two contents ever share a name.
type sum struct {
	crc  hash.Hash32
	sha  hash.Hash
	size int64
}

func newSum() *sum { return &sum{crc: crc32.New(castagnoli), sha: sha256.New()} }

func (s *sum) Write(p []byte) (int, error) {
	n, err := io.MultiWriter(s.crc, s.sha).Write(p)
	s.size += int64(n)
	return n, err
}

// file returns what a manifest says of a file with these bytes.
func (s *sum) file(name string) File {
	return File{
		Name:   name,
		Size:   s.size,
		CRC32C: fmt.Sprintf("%08x", s.crc.Sum32()),
		SHA256: hex.EncodeToString(s.sha.Sum(nil)),
	}
}

// fileSums remembers the sums of a store's immutable files by name, for as
// long as the store is open and no longer: after a restore of an older
// checkpoint Pebble uses file numbers again, with other content.
type fileSums map[string]File

// look returns the sums of a file if they are known and its size is the same.
func (m fileSums) look(name string, size int64) (File, bool) {
	f, ok := m[name]
	return f, ok && f.Size == size
}

// renew forgets every file that is not in files.
func (m fileSums) renew(files []File) {
	clear(m)
	for _, f := range files {
		if immutable(f.Name) {
			m[f.Name] = f
		}
	}
}

// immutable reports whether a file of this name is written once in an open
// database.
func immutable(name string) bool { return strings.HasSuffix(name, ".sst") }

// readFile returns the whole file.
func readFile(fs vfs.FS, path string) (data []byte, err error) {
	f, err := fs.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	return io.ReadAll(f)
}

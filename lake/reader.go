package lake

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strconv"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	// readBytes is how much of a file one get asks for.
	readBytes = 256 << 10
	// metaEntriesMax and metaBytesMax bound a file's header.
	metaEntriesMax = 64
	metaBytesMax   = schemaBytesMax + 64<<10
)

// source reads a file by ranges, up to the length that the log says, and hashes
// what it read.
type source struct {
	ctx    context.Context
	bucket blob.Bucket
	file   *File
	off    int64
	hash   hash.Hash
}

// Read implements io.Reader for the bufio.Reader above it.
func (s *source) Read(p []byte) (int, error) {
	n := min(int64(len(p)), s.file.Bytes-s.off)
	if n <= 0 {
		return 0, io.EOF
	}
	part, err := s.bucket.GetRange(s.ctx, s.file.Path, s.off, n)
	if err != nil {
		return 0, err
	}
	if len(part) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	s.off += int64(len(part))
	s.hash.Write(part)
	return copy(p, part), nil
}

// beyond reports whether the object goes on behind the length in the log.
func (s *source) beyond() (bool, error) {
	part, err := s.bucket.GetRange(s.ctx, s.file.Path, s.file.Bytes, 1)
	return len(part) > 0, err
}

// fileReader reads the container format of one file.
type fileReader struct {
	file   *File
	source *source
	in     *bufio.Reader
	marker [syncBytes]byte
	buf    []byte // of the current block
}

func newFileReader(ctx context.Context, b blob.Bucket, f *File) *fileReader {
	s := &source{ctx: ctx, bucket: b, file: f, hash: sha256.New()}
	return &fileReader{file: f, source: s, in: bufio.NewReaderSize(s, int(min(readBytes, max(f.Bytes, 16))))}
}

// cut turns the ways in which a file can end too early into one.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wrongf("it is cut off")
	}
	return err
}

// long reads a zigzag number.
func (r *fileReader) long() (int64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := r.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if shift == 63 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int64(v>>1) ^ -int64(v&1), nil
		}
	}
	return 0, wrongf("a number is longer than 64 bits")
}

// header reads the magic, the metadata and the marker, and compares the
// metadata with the log.
func (r *fileReader) header() error {
	magic := make([]byte, len(ocfMagic))
	if _, err := io.ReadFull(r.in, magic); err != nil {
		return cut(err)
	}
	if string(magic) != ocfMagic {
		return wrongf("it is no Avro container file")
	}
	meta, err := r.meta()
	if err != nil {
		return cut(err)
	}
	if _, err := io.ReadFull(r.in, r.marker[:]); err != nil {
		return cut(err)
	}
	for key, want := range map[string]string{
		metaCodec:     "null",
		metaFormat:    envelopeVersion,
		metaPartition: strconv.Itoa(int(r.file.Partition)),
		metaHour:      r.file.Hour,
		metaSchemaID:  strconv.FormatUint(uint64(r.file.SchemaID), 10),
		metaFirst:     strconv.FormatInt(r.file.First, 10),
	} {
		if have, ok := meta[key]; !ok || have != want {
			return wrongf("its header says %s %q, want %q", key, have, want)
		}
	}
	return nil
}

// meta reads the metadata map; its one block is all that the lander writes.
func (r *fileReader) meta() (map[string]string, error) {
	meta := map[string]string{}
	count, err := r.long()
	if err != nil {
		return nil, err
	}
	if count < 1 || count > metaEntriesMax {
		return nil, wrongf("a header of %d entries", count)
	}
	for range count {
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		if meta[key], err = r.text(); err != nil {
			return nil, err
		}
	}
	end, err := r.long()
	if err == nil && end != 0 {
		err = wrongf("a header of several parts")
	}
	return meta, err
}

func (r *fileReader) text() (string, error) {
	n, err := r.long()
	if err != nil {
		return "", err
	}
	if n < 0 || n > min(metaBytesMax, r.file.Bytes) {
		return "", wrongf("%d bytes in the header", n)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r.in, text)
	return string(text), err
}

// block returns the next block's records, valid until the next call; nil at
// the end of the file.
func (r *fileReader) block() (count int64, records []byte, err error) {
	if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
		return 0, nil, nil
	}
	if count, err = r.long(); err != nil {
		return 0, nil, cut(err)
	}
	size, err := r.long()
	if err != nil {
		return 0, nil, cut(err)
	}
	if count < 1 || size < count || size > r.file.Bytes {
		return 0, nil, wrongf("a block of %d records in %d bytes", count, size)
	}
	if int64(cap(r.buf)) < size+syncBytes {
		r.buf = make([]byte, size+syncBytes)
	}
	r.buf = r.buf[:size+syncBytes]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return 0, nil, cut(err)
	}
	if [syncBytes]byte(r.buf[size:]) != r.marker {
		return 0, nil, wrongf("a block does not end in the marker")
	}
	return count, r.buf[:size:size], nil
}

package lake

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// ReadFile calls fn for every record of a file that the log names, in the
// order of offsets, holding one block at a time. It checks everything that the
// log says of the file, at last its SHA-256; what fn was told is therefore
// confirmed only when ReadFile returns nil, and must be dropped otherwise.
//
// Bytes that differ from what was written, and a missing file, are a
// *CorruptError. An error of fn ends the reading and is returned, unless the
// rest of the file shows that it is corrupt: then fn's error comes wrapped in
// the *CorruptError that explains it.
func ReadFile(ctx context.Context, b blob.Bucket, f File, fn func(*Stored) error) error {
	r := newFileReader(ctx, b, &f)
	fnErr, err := r.records(fn)
	if err == nil {
		err = r.finish()
	}
	if err == nil {
		return fnErr
	}
	if isWrong(err) {
		return &CorruptError{Path: f.Path, What: err.Error(), Err: fnErr}
	}
	if errors.Is(err, blob.ErrNotFound) {
		return &CorruptError{Path: f.Path, What: "the log names it, and it is missing", Err: err}
	}
	return errors.Join(fnErr, fmt.Errorf("read %s: %w", f.Path, err))
}

// records streams the records to fn until that fails; the file is read to its
// end in any case.
func (r *fileReader) records(fn func(*Stored) error) (fnErr, err error) {
	if err := r.header(); err != nil {
		return nil, err
	}
	s := Stored{SchemaID: r.file.SchemaID}
	tally := tally{file: r.file, last: r.file.First - 1}
	for {
		count, block, err := r.block()
		if err != nil {
			return fnErr, err
		}
		if block == nil {
			return fnErr, tally.close()
		}
		c := cursor{buf: block}
		for range count {
			c.record(r.file.Quarantine, &s)
			if c.err != nil {
				return fnErr, fmt.Errorf("record behind offset %d: %w", tally.last, c.err)
			}
			if err := tally.add(&s); err != nil {
				return fnErr, err
			}
			if fnErr == nil {
				fnErr = fn(&s)
			}
		}
		if c.pos != len(block) {
			return fnErr, wrongf("a block has %d bytes behind its records", len(block)-c.pos)
		}
	}
}

// tally checks what the log says of a file's records.
type tally struct {
	file  *File
	count int64
	last  int64
}

func (t *tally) add(s *Stored) error {
	switch {
	case s.Partition != t.file.Partition:
		return wrongf("a record of partition %d", s.Partition)
	case s.Offset <= t.last || s.Offset > t.file.Last:
		return wrongf("offset %d comes behind %d, the file ends at %d", s.Offset, t.last, t.file.Last)
	case t.count == 0 && s.Offset != t.file.First:
		return wrongf("it begins at offset %d", s.Offset)
	}
	t.count++
	t.last = s.Offset
	return nil
}

func (t *tally) close() error {
	if t.count != t.file.Records || t.last != t.file.Last {
		return wrongf("%d records up to offset %d; the log says %d up to %d", t.count, t.last, t.file.Records, t.file.Last)
	}
	return nil
}

// finish checks the length and the checksum, after the last block.
func (r *fileReader) finish() error {
	more, err := r.source.beyond()
	if err != nil {
		return err
	}
	if more {
		return wrongf("it is longer than the %d bytes that the log says", r.file.Bytes)
	}
	if sum := hex.EncodeToString(r.source.hash.Sum(nil)); sum != r.file.SHA256 {
		return wrongf("its SHA-256 is %s, the log says %s", sum, r.file.SHA256)
	}
	return nil
}

package lake

import (
	"bufio"
	"container/heap"
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// What reading an entry holds in memory, over all of its files: buffers of the bucket's answers, and a block of each.
const (
	entryBuffersMax = 8 << 20
	entryBufferMin  = 8 << 10
)

// ReadEntry calls fn for every record of an entry at or behind the offset from, in the order of offsets, over all of its
// files: what a reader of the topic would have got, quarantined records (Stored.Reason says so) included. Every file is
// read and checked first, its SHA-256 too, so what fn is told is confirmed when it is told. It holds a block and a buffer of
// each file at a time, together no more than twice the entry's bytes.
//
// Errors are those of ReadFile. An error of fn ends the reading and is returned as it is.
func ReadEntry(ctx context.Context, b blob.Bucket, e Entry, from int64, fn func(*Stored) error) error {
	var files []File
	for _, f := range e.Files {
		if f.Last >= from {
			files = append(files, f)
		}
	}
	for _, f := range files {
		if err := ReadFile(ctx, b, f, func(*Stored) error { return nil }); err != nil {
			return err
		}
	}
	var h heads
	for i := range files {
		d := newHead(ctx, b, &files[i], len(files))
		if err := d.skip(from); err != nil {
			return d.fault(err)
		}
		h = append(h, d)
	}
	heap.Init(&h)
	for last := from - 1; len(h) > 0; {
		d := h[0]
		if d.stored.Offset <= last {
			return &CorruptError{Path: entryKey(e.Topic, e.Partition, e.First), What: fmt.Sprintf("offset %d is in several of its files", d.stored.Offset)}
		}
		last = d.stored.Offset
		if err := fn(&d.stored); err != nil {
			return err
		}
		ok, err := d.next()
		switch {
		case err != nil:
			return d.fault(err)
		case ok:
			heap.Fix(&h, 0)
		default:
			heap.Pop(&h)
		}
	}
	return nil
}

// head is a file with its first record that has not been given out.
type head struct {
	*fileReader
	stored Stored
	block  cursor
	left   int64 // records of the block behind stored
	tally  tally
}

// newHead opens one of so many files that are read side by side.
func newHead(ctx context.Context, b blob.Bucket, f *File, files int) *head {
	r := newFileReader(ctx, b, f)
	size := min(readBytes, max(entryBuffersMax/files, entryBufferMin), int(min(f.Bytes, readBytes)))
	r.in = bufio.NewReaderSize(r.source, max(size, 16))
	return &head{fileReader: r, stored: Stored{SchemaID: f.SchemaID}, tally: tally{file: f, last: f.First - 1}}
}

// skip goes to the first record at or behind an offset, of which the log says that there is one.
func (d *head) skip(from int64) error {
	if err := d.header(); err != nil {
		return err
	}
	for {
		ok, err := d.next()
		if err != nil {
			return err
		}
		if !ok {
			return wrongf("it ends before offset %d", from)
		}
		if d.stored.Offset >= from {
			return nil
		}
	}
}

// next reads one record; false at the end of the file, which is as the log says.
func (d *head) next() (bool, error) {
	for d.left == 0 {
		if d.block.pos != len(d.block.buf) {
			return false, wrongf("a block has %d bytes behind its records", len(d.block.buf)-d.block.pos)
		}
		count, block, err := d.fileReader.block()
		if err != nil {
			return false, err
		}
		if block == nil {
			if err := d.tally.close(); err != nil {
				return false, err
			}
			return false, d.finish()
		}
		d.block, d.left = cursor{buf: block}, count
	}
	d.left--
	d.block.record(d.file.Quarantine, &d.stored)
	if d.block.err != nil {
		return false, fmt.Errorf("record behind offset %d: %w", d.tally.last, d.block.err)
	}
	return true, d.tally.add(&d.stored)
}

// fault names the file in an error of reading it.
func (d *head) fault(err error) error {
	if isWrong(err) {
		return &CorruptError{Path: d.file.Path, What: err.Error()}
	}
	if errors.Is(err, blob.ErrNotFound) {
		return &CorruptError{Path: d.file.Path, What: "the log names it, and it is missing", Err: err}
	}
	return fmt.Errorf("read %s: %w", d.file.Path, err)
}

// heads is a heap by offset.
type heads []*head

var _ heap.Interface = (*heads)(nil)

// Len implements heap.Interface.
func (h heads) Len() int { return len(h) }

// Less implements heap.Interface.
func (h heads) Less(i, j int) bool { return h[i].stored.Offset < h[j].stored.Offset }

// Swap implements heap.Interface.
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *heads) Push(x any) {
	if d, ok := x.(*head); ok {
		*h = append(*h, d)
	}
}

// Pop implements heap.Interface.
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

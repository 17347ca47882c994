package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// partition checks one partition's log and every file that it names. Unlike a
// reader, who walks, it goes by the listing, so that it finds what lies behind
// a gap.
func (c *checker) partition(ctx context.Context, p int32) error {
	next, known, err := c.start(ctx, p)
	if err != nil {
		return err
	}
	r := Range{Partition: p, First: next, End: next}
	for _, first := range c.entries[p] {
		key := entryKey(c.name, p, first)
		data, err := c.bucket.Get(ctx, key)
		if err != nil && !errors.Is(err, blob.ErrNotFound) {
			return err
		}
		var e Entry
		if err == nil {
			e, err = readEntry(c.name, p, first, data)
		}
		if err != nil {
			c.fault(Fault{Kind: FaultLog, Path: key, Partition: p, Offset: first, Msg: what(err) + ": readers stop here, and which files it named is not known"})
			known = false // where it ended is not known
			continue
		}
		end := e.End
		if known {
			c.chain(key, p, next, first)
			end = max(end, next) // what an entry before this one covers is no gap behind this one
		}
		next, known = end, true
		c.covered[p] = append(c.covered[p], Range{Partition: p, First: e.First, End: e.End})
		r.Entries++
		r.Records += e.Records
		r.End = max(r.End, e.End)
		if e.GivenUp != nil {
			c.sum.GivenUp = append(c.sum.GivenUp, Hole{Partition: p, First: e.First, End: e.End, GivenUp: *e.GivenUp})
		}
		if err := c.entry(ctx, &e); err != nil {
			return err
		}
	}
	c.ragged[p] = !known
	c.sum.Ranges = append(c.sum.Ranges, r)
	return nil
}

// start reads the partition's start marker.
func (c *checker) start(ctx context.Context, p int32) (first int64, known bool, err error) {
	first, known, err = findStart(ctx, c.bucket, c.name, p)
	var corrupt *CorruptError
	switch {
	case errors.As(err, &corrupt):
		c.fault(Fault{Kind: FaultLog, Path: startKey(c.name, p), Partition: p, Offset: -1, Msg: corrupt.What})
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case !known:
		c.fault(Fault{Kind: FaultLog, Path: startKey(c.name, p), Partition: p, Offset: -1, Msg: "the log has entries and no start marker"})
	}
	return first, known, nil
}

// chain checks that an entry begins where the one before it ended.
func (c *checker) chain(key string, p int32, want, first int64) {
	switch {
	case first > want:
		c.fault(Fault{Kind: FaultGap, Path: entryKey(c.name, p, want), Partition: p, Offset: want,
			Msg: fmt.Sprintf("no entry covers the offsets [%d, %d): readers stop here", want, first)})
	case first < want:
		c.fault(Fault{Kind: FaultOverlap, Path: key, Partition: p, Offset: first,
			Msg: fmt.Sprintf("it begins at offset %d, which the entry before it covers up to %d", first, want)})
	}
}

// entry checks the files of one entry, and that no record is in two of them.
func (c *checker) entry(ctx context.Context, e *Entry) error {
	offsets := make([]int64, 0, e.Records)
	for i := range e.Files {
		f := &e.Files[i]
		c.sum.Files++
		c.sum.Bytes += f.Bytes
		c.named[f.Path] = true
		var err error
		if offsets, err = c.file(ctx, f, offsets); err != nil {
			return err
		}
	}
	slices.Sort(offsets)
	for i := 1; i < len(offsets); i++ {
		if offsets[i] == offsets[i-1] {
			c.fault(Fault{Kind: FaultDuplicate, Path: entryKey(e.Topic, e.Partition, e.First), Partition: e.Partition, Offset: offsets[i],
				Msg: fmt.Sprintf("two files of the entry have a record of offset %d", offsets[i])})
		}
	}
	return nil
}

// file reads one file to its end and appends the offsets of its records.
func (c *checker) file(ctx context.Context, f *File, offsets []int64) ([]int64, error) {
	known := len(offsets)
	times := c.timesOf(f)
	if times != nil {
		times.begin()
	}
	err := ReadFile(ctx, c.bucket, *f, func(s *Stored) error {
		offsets = append(offsets, s.Offset)
		if times != nil {
			times.read(s)
		}
		return nil
	})
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		kind := FaultFile
		if errors.Is(err, blob.ErrNotFound) {
			kind = FaultMissing
		}
		c.fault(Fault{Kind: kind, Path: f.Path, Partition: f.Partition, Offset: f.First, Msg: corrupt.What})
		return offsets[:known], nil
	}
	if err != nil {
		return offsets, err
	}
	c.sum.Records += f.Records
	if f.Quarantine {
		c.sum.Quarantined += f.Records
	}
	if times != nil {
		times.judge(f, c.fault)
	}
	return offsets, nil
}

// timesOf is what reads the event times of a file's records; nil if nothing can. A schema that files need and nobody has
// declared is a fault, told once.
func (c *checker) timesOf(f *File) *timeReader {
	if f.Quarantine || c.times == nil {
		return nil
	}
	times, known := c.times[f.SchemaID]
	if !known {
		c.times[f.SchemaID] = nil
		c.fault(Fault{Kind: FaultDeclaration, Path: schemaKey(c.name, f.SchemaID), Partition: -1, Offset: -1,
			Msg: fmt.Sprintf("it is missing, and %s needs it", f.Path)})
	}
	return times
}

// what is the message of an error about an object that the fault names anyway.
func what(err error) string {
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		return corrupt.What
	}
	return err.Error()
}

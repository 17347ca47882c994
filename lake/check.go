package lake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// FaultKind says what kind of thing Check found; the texts are stable.
type FaultKind string

// The kinds of findings.
const (
	FaultDeclaration FaultKind = "declaration"    // the topic's declaration or a schema of it is unreadable
	FaultLog         FaultKind = "log_entry"      // an entry or start marker is not what was written
	FaultGap         FaultKind = "log_gap"        // offsets that no entry covers lie before the last entry
	FaultOverlap     FaultKind = "log_overlap"    // two entries cover the same offsets
	FaultMissing     FaultKind = "missing_file"   // the log names a file that is not there
	FaultFile        FaultKind = "file"           // a file's bytes are not what the log says
	FaultRecord      FaultKind = "record"         // a record does not decode, or is in the wrong hour's file
	FaultTimes       FaultKind = "time_bounds"    // a file's event times are not what the log says
	FaultDuplicate   FaultKind = "duplicate"      // a record is in two files
	FaultOrphan      FaultKind = "orphan_file"    // files that no entry names, where the log is damaged: one finding for each hole in it
	FaultForeign     FaultKind = "unknown_object" // an object that the lake does not write

	// FaultPending is a file that no entry names yet: a lander is at work, or
	// died before it put the entry.
	FaultPending FaultKind = "pending"
	// FaultGarbage is a file that no entry will ever name: a lander crashed or
	// lost against another.
	FaultGarbage FaultKind = "garbage"
)

// Harmless reports that the finding is no damage: readers never see the file.
func (k FaultKind) Harmless() bool { return k == FaultPending || k == FaultGarbage }

// Fault is one finding of Check.
type Fault struct {
	Kind      FaultKind
	Path      string // key of the object
	Partition int32  // -1 when it concerns none
	Offset    int64  // -1 when it concerns none
	Msg       string // one line
}

// String is one line: kind, object, what.
func (f Fault) String() string { return fmt.Sprintf("%s: %s: %s", f.Kind, f.Path, f.Msg) }

// Range is what the log of one partition covers.
type Range struct {
	Partition  int32
	First, End int64 // offsets [First, End)
	Entries    int64
	Records    int64 // quarantined ones included
}

// Summary counts what Check has read.
type Summary struct {
	Records     int64 // in files that are as the log says, quarantined ones included
	Quarantined int64
	Files       int64 // that the log names
	Bytes       int64 // of these, as the log says
	Faults      int64 // harmless ones not included
	Pending     int64
	Garbage     int64
	Ranges      []Range // by partition
	GivenUp     []Hole  // by partition and offset: no damage, but records that are gone
}

// Check reads everything that the lake has of a topic and tells fn every fault
// that it finds: in the log (each range once, without gap), in the files it
// names (checksum, counts, order, each record once and in its range, in the
// hour of its event time), and objects that the log does not name. It writes
// nothing, and may run beside landers; what they put meanwhile may show as
// pending. The error is only about not having been able to look.
func Check(ctx context.Context, b blob.Bucket, topic string, fn func(Fault)) (Summary, error) {
	c := &checker{bucket: b, name: topic, fn: fn}
	err := c.run(ctx)
	if err != nil {
		err = fmt.Errorf("check topic %s of the lake: %w", topic, err)
	}
	return c.sum, err
}

type checker struct {
	bucket blob.Bucket
	name   string
	fn     func(Fault)
	sum    Summary

	times   map[uint32]*timeReader // by schema id; nil: the declaration is unreadable
	entries map[int32][]int64      // offsets of the listed entries
	starts  map[int32]bool
	data    []dataObject
	named   map[string]bool
	covered map[int32][]Range // by readable entries
	ragged  map[int32]bool    // the last entry is unreadable: no end is known
}

// dataObject is a listed file.
type dataObject struct {
	key string
	place
}

func (c *checker) fault(f Fault) {
	switch f.Kind {
	case FaultPending:
		c.sum.Pending++
	case FaultGarbage:
		c.sum.Garbage++
	default:
		c.sum.Faults++
	}
	c.fn(f)
}

func (c *checker) run(ctx context.Context) error {
	if err := c.declaration(ctx); err != nil {
		return err
	}
	if err := c.list(ctx); err != nil {
		return err
	}
	partitions := map[int32]bool{}
	maps.Copy(partitions, c.starts)
	for p := range c.entries {
		partitions[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(partitions)) {
		if err := c.partition(ctx, p); err != nil {
			return err
		}
	}
	c.unnamed()
	return nil
}

// declaration prepares to read event times; without them only the records'
// hours cannot be checked.
func (c *checker) declaration(ctx context.Context) error {
	t, err := LookTopic(ctx, c.bucket, c.name)
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		c.fault(Fault{Kind: FaultDeclaration, Path: corrupt.Path, Partition: -1, Offset: -1, Msg: corrupt.What})
		return nil
	}
	if err != nil {
		return err
	}
	c.times = map[uint32]*timeReader{}
	for _, s := range t.declared.Schemas {
		if c.times[s.ID], err = newTimeReader(s, t.declared.EventTime); err != nil {
			c.fault(Fault{Kind: FaultDeclaration, Path: schemaKey(c.name, s.ID), Partition: -1, Offset: -1, Msg: err.Error()})
		}
	}
	return nil
}

// list sorts all objects of the topic by what their names say. Entries come
// before files in the order of keys, so a file that is put together with its
// entry while this runs is at worst taken for pending.
func (c *checker) list(ctx context.Context) error {
	c.entries, c.starts = map[int32][]int64{}, map[int32]bool{}
	c.named, c.covered, c.ragged = map[string]bool{}, map[int32][]Range{}, map[int32]bool{}
	return c.bucket.List(ctx, topicPrefix(c.name), func(o blob.Object) error {
		if p, ok := parseName(c.name, o.Key, entryName, 1); ok {
			c.entries[p.partition] = append(c.entries[p.partition], p.first)
		} else if p, ok := parseName(c.name, o.Key, startName, 1); ok {
			c.starts[p.partition] = true
		} else if p, ok := parseName(c.name, o.Key, dataName, 2); ok {
			c.data = append(c.data, dataObject{o.Key, p})
		} else if o.Key != declarationKey(c.name) && !schemaName.MatchString(strings.TrimPrefix(o.Key, topicPrefix(c.name))) {
			c.fault(Fault{Kind: FaultForeign, Path: o.Key, Partition: -1, Offset: -1, Msg: "the lake does not write such objects"})
		}
		return nil
	})
}

// unnamed judges the files that no readable entry names. Only where a readable
// entry covers a file's first offset is it certain that none ever will. Those of
// one hole in the log are one fault: an entry names a file an hour.
func (c *checker) unnamed() {
	var orphans []orphaned
	for _, d := range c.data {
		if c.named[d.key] {
			continue
		}
		f := Fault{Path: d.key, Partition: d.partition, Offset: d.first}
		covered, end := c.covered[d.partition], int64(0)
		if n := len(covered); n > 0 {
			end = covered[n-1].End
		}
		switch {
		case d.first >= end && !c.ragged[d.partition]:
			f.Kind, f.Msg = FaultPending, "no log entry names it yet"
		case slices.ContainsFunc(covered, func(r Range) bool { return r.First <= d.first && d.first < r.End }):
			f.Kind, f.Msg = FaultGarbage, "the log covers its first offset and does not name it"
		default:
			before := slices.IndexFunc(covered, func(r Range) bool { return r.First > d.first })
			orphans = addOrphan(orphans, d, before)
			continue
		}
		c.fault(f)
	}
	for _, o := range orphans {
		f := Fault{Kind: FaultOrphan, Path: o.first.key, Partition: o.first.partition, Offset: o.first.first}
		f.Msg = fmt.Sprintf("no log entry names it, and none covers its first offset %d", o.first.first)
		if o.more > 0 {
			f.Msg += fmt.Sprintf(" (nor %d more files of this hole in the log)", o.more)
		}
		f.Msg += ": it can't be checked until the entry is back"
		c.fault(f)
	}
}

// orphaned are the files of one hole in a log, which lies before an entry: -1 if there is none behind it.
type orphaned struct {
	first  dataObject // of the lowest offset
	before int
	more   int
}

func addOrphan(all []orphaned, d dataObject, before int) []orphaned {
	i := slices.IndexFunc(all, func(o orphaned) bool { return o.first.partition == d.partition && o.before == before })
	if i < 0 {
		return append(all, orphaned{first: d, before: before})
	}
	all[i].more++
	if d.first < all[i].first.first {
		all[i].first = d
	}
	return all
}

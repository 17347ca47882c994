package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// table is what enriches events, as it was at some hour: of each key the version in force, which is the newest one before. A
// unit can depend on versions of any age, but of those from before its hour on no other than these. Units in ascending order
// read a history once between them; it holds as many versions as there are keys.
type table struct {
	seen map[string]bool // paths of the files that it was made of
	rows map[string]*held
	size int64 // bytes
}

// held is a version and all its copies.
type held struct {
	time   int64
	id     [16]byte
	copies []heldCopy
}

type heldCopy struct {
	file   unitFile
	stored lake.Stored
}

func newTable() *table { return &table{seen: make(map[string]bool), rows: make(map[string]*held)} }

// old splits the files of versions from before the unit's hour from the rest.
func (rc *recomputer) old(files []unitFile) (old, rest []unitFile) {
	if rc.plan.Shape != pipeline.Enrich {
		return nil, files
	}
	for _, f := range files {
		if f.source == rc.plan.Join.Right && f.MaxTime < rc.span.hour {
			old = append(old, f)
		} else {
			rest = append(rest, f)
		}
	}
	return old, rest
}

// versions takes the versions in force at the unit's hour.
func (rc *recomputer) versions(ctx context.Context, old []unitFile) error {
	if rc.table == nil || !rc.table.partOf(old) {
		rc.table = newTable()
	}
	for i := range old {
		if rc.table.seen[old[i].Path] {
			continue
		}
		if err := rc.learn(ctx, &old[i]); err != nil {
			return err
		}
	}
	for i := range old {
		rc.outside += old[i].Records
	}
	for _, v := range rc.table.rows {
		for i := range v.copies {
			if err := rc.give(&v.copies[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// give takes a held version.
func (rc *recomputer) give(c *heldCopy) error {
	rc.outside--
	rc.rec = rawRecord{
		at:     place{rc.plan.Sources[rc.plan.Join.Right].Topic, c.stored.Partition, c.stored.Offset},
		source: rc.plan.Join.Right, file: &c.file.File, stored: &c.stored, fresh: rc.isNew == nil || rc.isNew(&c.file),
	}
	return rc.record()
}

// partOf reports whether the table was made of no other files than these.
func (t *table) partOf(files []unitFile) bool {
	if len(t.seen) > len(files) {
		return false
	}
	n := 0
	for i := range files {
		if t.seen[files[i].Path] {
			n++
		}
	}
	return n == len(t.seen)
}

// learn reads a file of versions into the table.
func (rc *recomputer) learn(ctx context.Context, f *unitFile) error {
	rc.table.seen[f.Path] = true
	var key []byte
	return lake.ReadFile(ctx, rc.bucket, f.File, func(st *lake.Stored) error {
		rc.rec = rawRecord{at: place{rc.plan.Sources[f.source].Topic, st.Partition, st.Offset}, source: f.source, file: &f.File, stored: st}
		if err := rc.flow.LookPayload(f.source, st.SchemaID, st.Payload); err != nil {
			return rc.unreadable(err)
		}
		ev, landable := rc.flow.Event()
		if bad := rc.flow.Bad(); bad != nil && !landable {
			return rc.unreadable(bad)
		} else if bad != nil {
			return nil // it enriches nothing
		}
		key = rc.flow.JoinKey(key[:0])
		rc.table.add(key, ev.Time, rc.flow.EventID(flow.Place{Partition: st.Partition, Offset: st.Offset}), f, st)
		if limit := rc.plan.Pipeline.State.MemoryMax; limit > 0 && rc.table.size > limit {
			return fmt.Errorf("the versions in force of topic %s need more than %d bytes: raise state.memory_max", rc.plan.Sources[f.source].Topic, limit)
		}
		return nil
	})
}

// add takes a version: a newer one, or of two at one time that of the higher identity, as a join does.
func (t *table) add(key []byte, at int64, id [16]byte, f *unitFile, st *lake.Stored) {
	h := t.rows[string(key)]
	switch {
	case h == nil:
		h = &held{time: at, id: id}
		t.rows[string(key)] = h
		t.size += int64(len(key)) + versionBytes
	case at < h.time || at == h.time && bytes.Compare(id[:], h.id[:]) < 0:
		return
	case at > h.time || id != h.id:
		for i := range h.copies {
			t.size -= h.copies[i].size()
		}
		h.time, h.id, h.copies = at, id, nil
	}
	c := heldCopy{file: *f, stored: lake.Stored{Partition: st.Partition, Offset: st.Offset, SchemaID: st.SchemaID, Payload: slices.Clone(st.Payload)}}
	h.copies = append(h.copies, c)
	t.size += c.size()
}

// versionBytes is about what a held version takes besides its key and payloads.
const versionBytes = 200

func (c *heldCopy) size() int64 { return int64(len(c.stored.Payload)) + versionBytes }

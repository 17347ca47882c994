package lake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// TestEntryPairs (invariant 8): what an entry says twice must agree.
func TestEntryPairs(t *testing.T) {
	sha := strings.Repeat("ab", 32)
	good := func() *Entry {
		return &Entry{
			Version: 1, Topic: "t", Partition: 2, First: 10, End: 20, Records: 5, Quarantined: 2,
			Files: []File{
				{Path: fileKey("t", "", 2, 11, sha), Partition: 2, Quarantine: true, Records: 2, Bytes: 9, First: 11, Last: 12, SHA256: sha},
				{Path: fileKey("t", "dt=1970-01-01/hr=01", 2, 10, sha), Partition: 2, Hour: "dt=1970-01-01/hr=01", Records: 3, Bytes: 9,
					First: 10, Last: 19, MinTime: 3600000, MaxTime: 7199999, SHA256: sha},
			},
		}
	}
	if err := good().check("t", 2, 10); err != nil {
		t.Fatal(err)
	}
	// Changes that keep the path in step reach the check behind that of the path.
	rename := func(f *File) { f.Path = fileKey("t", f.Hour, f.Partition, f.First, f.SHA256) }
	for name, change := range map[string]func(*Entry){
		"topic":                  func(e *Entry) { e.Topic = "u" },
		"partition":              func(e *Entry) { e.Partition = 3 },
		"first":                  func(e *Entry) { e.First = 9 },
		"empty range":            func(e *Entry) { e.End, e.Files, e.Records, e.Quarantined = 10, nil, 0, 0 },
		"records":                func(e *Entry) { e.Records++ },
		"quarantined":            func(e *Entry) { e.Quarantined = 0 },
		"order of files":         func(e *Entry) { e.Files[0], e.Files[1] = e.Files[1], e.Files[0] },
		"file twice":             func(e *Entry) { e.Files[0], e.Quarantined, e.Records = e.Files[1], 0, 6 },
		"path":                   func(e *Entry) { e.Files[1].Path += "x" },
		"sha":                    func(e *Entry) { e.Files[1].SHA256 = strings.Repeat("cd", 32) },
		"short sha":              func(e *Entry) { e.Files[1].SHA256 = sha[:40] },
		"quarantine with hour":   func(e *Entry) { e.Files[1].Quarantine = true },
		"no hour":                func(e *Entry) { e.Files[0].Quarantine = false },
		"file's partition":       func(e *Entry) { e.Files[1].Partition = 3; rename(&e.Files[1]) },
		"file before the range":  func(e *Entry) { e.Files[1].First = 9; rename(&e.Files[1]) },
		"file behind the range":  func(e *Entry) { e.Files[1].Last = 20 },
		"last before first":      func(e *Entry) { e.Files[1].First, e.Files[1].Last = 15, 14; rename(&e.Files[1]) },
		"more records than fit":  func(e *Entry) { e.Files[0].Records, e.Records, e.Quarantined = 3, 6, 3 },
		"no records":             func(e *Entry) { e.Files[0].Records, e.Records, e.Quarantined = 0, 3, 0 },
		"no bytes":               func(e *Entry) { e.Files[0].Bytes = 0 },
		"time before the hour":   func(e *Entry) { e.Files[1].MinTime-- },
		"time behind the hour":   func(e *Entry) { e.Files[1].MaxTime++ },
		"max time before min":    func(e *Entry) { e.Files[1].MinTime, e.Files[1].MaxTime = 3600001, 3600000 },
		"hour that is none":      func(e *Entry) { e.Files[1].Hour = "dt=1970-01-01/hr=1"; rename(&e.Files[1]) },
		"hour that is elsewhere": func(e *Entry) { e.Files[1].Hour = "dt=1970-01-01/hr=02"; rename(&e.Files[1]) },
	} {
		e := good()
		change(e)
		if err := e.check("t", 2, 10); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestFilePairs (invariant 8): a file with a right checksum that is not what
// the log says of it.
func TestFilePairs(t *testing.T) {
	hour := "dt=1970-01-01/hr=00"
	good := func() (identity, []int64, File) {
		return identity{topic: "t", partition: 2, hour: hour, schemaID: 4, first: 10, schema: "{}"}, []int64{10, 11, 15},
			File{Path: "f.avro", Partition: 2, Hour: hour, SchemaID: 4, Records: 3, First: 10, Last: 15}
	}
	for name, c := range map[string]struct {
		change  func(*identity, *[]int64, *File)
		corrupt bool
	}{
		"good":               {func(*identity, *[]int64, *File) {}, false},
		"header's partition": {func(id *identity, _ *[]int64, _ *File) { id.partition = 3 }, true},
		"header's hour":      {func(id *identity, _ *[]int64, _ *File) { id.hour = "dt=1970-01-01/hr=01" }, true},
		"header's schema id": {func(id *identity, _ *[]int64, _ *File) { id.schemaID = 0 }, true},
		"header's first":     {func(id *identity, _ *[]int64, _ *File) { id.first = 11 }, true},
		"record twice":       {func(_ *identity, o *[]int64, _ *File) { *o = []int64{10, 15, 15} }, true},
		"not in order":       {func(_ *identity, o *[]int64, _ *File) { *o = []int64{10, 9, 15} }, true},
		"other first":        {func(_ *identity, o *[]int64, _ *File) { *o = []int64{11, 12, 15} }, true},
		"other last":         {func(_ *identity, o *[]int64, _ *File) { *o = []int64{10, 12, 14} }, true},
		"beyond last":        {func(_ *identity, o *[]int64, _ *File) { *o = []int64{10, 12, 16} }, true},
		"fewer records":      {func(_ *identity, o *[]int64, _ *File) { *o = []int64{10, 15} }, true},
		"bytes in a block":   {func(_ *identity, o *[]int64, _ *File) { *o = append(*o, -1) }, true},
		"another marker":     {func(id *identity, _ *[]int64, f *File) { f.SHA256 = "marker" }, true},
		"other partition":    {func(id *identity, _ *[]int64, f *File) { id.partition, f.Partition = 1, 1 }, true},
	} {
		id, offsets, f := good()
		c.change(&id, &offsets, &f)
		buf, budget := &buffer{}, NewBudget(1<<20)
		for _, o := range offsets {
			if o < 0 {
				buf.blocks[0].buf = append(buf.blocks[0].buf, 0)
				break
			}
			r := &Record{Partition: 2, Offset: o}
			b := buf.grow(rawBytes(r, nil), len(buf.blocks) > 0, budget)
			b.buf = appendRaw(b.buf, r, nil)
			buf.note(b, o, 0, rawBytes(r, nil))
		}
		pieces, size, sum := id.pieces(buf.blocks)
		if last := pieces[len(pieces)-1]; f.SHA256 == "marker" {
			last[len(last)-1] ^= 1
			whole := sha256.Sum256(bytes.Join(pieces, nil))
			sum = hex.EncodeToString(whole[:])
		}
		f.Bytes, f.SHA256 = size, sum
		b := blob.NewMemory()
		if err := b.Put(t.Context(), f.Path, pieces...); err != nil {
			t.Fatal(err)
		}
		err := ReadFile(t.Context(), b, f, func(*Stored) error { return nil })
		if (err != nil) != c.corrupt {
			t.Errorf("%s: %v", name, err)
		}
		if whole := sha256.Sum256(bytes.Join(pieces, nil)); hex.EncodeToString(whole[:]) != sum {
			t.Errorf("%s: the checksum is not that of the pieces", name)
		}
	}
}

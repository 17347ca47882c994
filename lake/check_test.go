package lake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const checkSchema = `{"type":"record","name":"E","fields":[{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}`

// at encodes an event of checkSchema by hand.
func at(ms int64) []byte { return appendLong(ms) }

func appendLong(v int64) []byte {
	zigzag := uint64(v)<<1 ^ uint64(v>>63)
	var out []byte
	for ; zigzag >= 0x80; zigzag >>= 7 {
		out = append(out, byte(zigzag)|0x80)
	}
	return append(out, byte(zigzag))
}

// landed is a lake of three entries of two records each, in one hour.
func landed(t *testing.T) *blob.Memory {
	t.Helper()
	b := blob.NewMemory()
	landRecords(t, b, [][]int64{{0, 1}, {2, 3}, {4, 5}}, func(o int64) (int64, []byte) { return o, at(o) })
	return b
}

// landRecords lands a batch for each list of offsets; of says each record's
// event time, and its payload, which need not agree.
func landRecords(t *testing.T, b blob.Bucket, batches [][]int64, of func(int64) (int64, []byte)) {
	t.Helper()
	topic, err := OpenTopic(t.Context(), b, Declaration{Topic: "t", EventTime: "at", Format: "avro-raw", Schemas: []SchemaDecl{{JSON: checkSchema}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := topic.Lander(t.Context(), 0, LanderOptions{Now: func() time.Time { return time.UnixMilli(0) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, offsets := range batches {
		for _, o := range offsets {
			ms, payload := of(o)
			if err := l.Append(&Record{Offset: o, Value: payload}, Landing{Time: ms, Payload: payload}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Land(t.Context(), l.Seal()); err != nil {
			t.Fatal(err)
		}
	}
}

// rewrite changes a log entry and seals it again with a right checksum: what a
// wrong program, rather than a wrong disk, would leave.
func rewrite(t *testing.T, b blob.Bucket, first int64, change func(*Entry)) {
	t.Helper()
	key := entryKey("t", 0, first)
	data, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	e, err := readEntry("t", 0, first, data)
	if err != nil {
		t.Fatal(err)
	}
	change(&e)
	if data, err = sealJSON(e); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), entryKey("t", 0, e.First), data); err != nil {
		t.Fatal(err)
	}
}

// TestCheckFinds plants one fault after the other in a good lake; the checker
// names it by kind, and nothing else.
func TestCheckFinds(t *testing.T) {
	put := func(t *testing.T, b blob.Bucket, key string) {
		if err := b.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, b blob.Bucket, key string) {
		if err := b.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	hour0 := "raw/t/dt=1970-01-01/hr=00/"
	for name, c := range map[string]struct {
		plant func(*testing.T, blob.Bucket)
		want  string
	}{
		"nothing":         {func(*testing.T, blob.Bucket) {}, ""},
		"an entry gone":   {func(t *testing.T, b blob.Bucket) { remove(t, b, entryKey("t", 0, 2)) }, "log_gap orphan_file"},
		"the last gone":   {func(t *testing.T, b blob.Bucket) { remove(t, b, entryKey("t", 0, 4)) }, "pending"},
		"start gone":      {func(t *testing.T, b blob.Bucket) { remove(t, b, startKey("t", 0)) }, "log_entry"},
		"schema gone":     {func(t *testing.T, b blob.Bucket) { remove(t, b, schemaKey("t", 0)) }, "declaration"},
		"garbage":         {func(t *testing.T, b blob.Bucket) { put(t, b, hour0+"0-1-0123456789abcdef.avro") }, "garbage"},
		"pending":         {func(t *testing.T, b blob.Bucket) { put(t, b, hour0+"0-6-0123456789abcdef.avro") }, "pending"},
		"other partition": {func(t *testing.T, b blob.Bucket) { put(t, b, hour0+"9-6-0123456789abcdef.avro") }, "pending"},
		"foreign":         {func(t *testing.T, b blob.Bucket) { put(t, b, hour0+"notes.txt") }, "unknown_object"},
		"foreign in log":  {func(t *testing.T, b blob.Bucket) { put(t, b, "raw/t/_log/0/5.json") }, "unknown_object"},
		"last entry unreadable": {func(t *testing.T, b blob.Bucket) {
			remove(t, b, entryKey("t", 0, 4))
			put(t, b, entryKey("t", 0, 4))
		}, "log_entry orphan_file"},
		"entries overlap": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 0, func(e *Entry) { e.End = 3 })
		}, "log_overlap"},
		"an entry covers all after it": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 0, func(e *Entry) { e.End = 6 })
		}, "log_overlap log_overlap"},
		"an entry of many files unreadable": {func(t *testing.T, b blob.Bucket) {
			remove(t, b, entryKey("t", 0, 2))
			put(t, b, entryKey("t", 0, 2))
			put(t, b, "raw/t/dt=1970-01-01/hr=07/0-2-0123456789abcdef.avro")
			put(t, b, "raw/t/dt=1970-01-01/hr=08/0-3-0123456789abcdef.avro")
		}, "log_entry orphan_file"},
		"two holes": {func(t *testing.T, b blob.Bucket) {
			remove(t, b, entryKey("t", 0, 0))
			remove(t, b, entryKey("t", 0, 4))
			put(t, b, entryKey("t", 0, 4))
		}, "log_entry log_gap orphan_file orphan_file"},
		"wrong counts": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.Records = 3 })
		}, "log_entry orphan_file"},
		"wrong count of a file": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.Records, e.Files[0].Records = 1, 1 })
		}, "file"},
		"wrong length of a file": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.Files[0].Bytes-- })
		}, "file"},
		"wrong last offset": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.End, e.Files[0].Last = 5, 4 })
		}, "file log_overlap"},
		"wrong times": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.Files[0].MaxTime = 1000 })
		}, "time_bounds"},
		"a file in another hour": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.Files[0].Hour = "dt=1970-01-01/hr=01" })
		}, "log_entry orphan_file"},
		"a file twice": {func(t *testing.T, b blob.Bucket) {
			rewrite(t, b, 2, func(e *Entry) { e.Files, e.Records = append(e.Files, e.Files[0]), 4 })
		}, "log_entry orphan_file"},
	} {
		t.Run(name, func(t *testing.T) {
			b := landed(t)
			c.plant(t, b)
			if got := kinds(t, b); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func kinds(t *testing.T, b blob.Bucket) string {
	t.Helper()
	var found []string
	sum, err := Check(t.Context(), b, "t", func(f Fault) {
		if f.Msg == "" || strings.Contains(f.String(), "\n") {
			t.Errorf("fault %+v is no line", f)
		}
		found = append(found, string(f.Kind))
	})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Faults+sum.Pending+sum.Garbage != int64(len(found)) {
		t.Errorf("%d faults told, counted %+v", len(found), sum)
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

// TestCheckDuplicate: one entry with the same record in two hours' files.
func TestCheckDuplicate(t *testing.T) {
	b, other := blob.NewMemory(), blob.NewMemory()
	landRecords(t, b, [][]int64{{0}}, func(int64) (int64, []byte) { return 5, at(5) })
	landRecords(t, other, [][]int64{{0}}, func(int64) (int64, []byte) { return hourMillis, at(hourMillis) })
	data, err := other.Get(t.Context(), entryKey("t", 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	more, err := readEntry("t", 0, 0, data)
	if err != nil {
		t.Fatal(err)
	}
	file, err := other.Get(t.Context(), more.Files[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), more.Files[0].Path, file); err != nil {
		t.Fatal(err)
	}
	rewrite(t, b, 0, func(e *Entry) { e.Files, e.Records = append(e.Files, more.Files...), 2 })
	if got := kinds(t, b); got != "duplicate" {
		t.Errorf("found %q", got)
	}
}

// TestCheckRecords: payloads that do not decode, or whose event time is not
// the one that they were landed with.
func TestCheckRecords(t *testing.T) {
	for want, of := range map[string]func(int64) (int64, []byte){
		"record record": func(o int64) (int64, []byte) {
			if o == 1 || o == 3 {
				return o, append(at(o), 0)
			}
			return o, at(o)
		},
		"time_bounds": func(o int64) (int64, []byte) { return o, at(o + o/5) },
		strings.TrimSpace(strings.Repeat("record ", badRecordsMax+1)): func(o int64) (int64, []byte) { return o, nil },
	} {
		b := blob.NewMemory()
		offsets := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		if want == "time_bounds" {
			offsets = offsets[:6]
		}
		landRecords(t, b, [][]int64{offsets}, of)
		if got := kinds(t, b); got != want {
			t.Errorf("found %q, want %q", got, want)
		}
	}
}

// TestCheckStops: an error of the bucket is no finding.
func TestCheckStops(t *testing.T) {
	b := landed(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, b, "t", func(f Fault) { t.Errorf("found %s", f) }); err == nil {
		t.Error("checked with a cancelled context")
	}
	if _, err := Check(t.Context(), b, "other", func(Fault) {}); err == nil || !strings.Contains(fmt.Sprint(err), "other") {
		t.Errorf("check of an unknown topic: %v", err)
	}
}

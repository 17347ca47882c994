package pyread_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/testcache"
)

const writerSchema = `{"type":"record","name":"Reading","namespace":"plant","fields":[
	{"name":"id","type":"string"},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"n","type":"long"},
	{"name":"x","type":"double"},
	{"name":"color","type":{"type":"enum","name":"Color","symbols":["RED","GREEN"]}},
	{"name":"note","type":["null","string"]},
	{"name":"place","type":{"type":"record","name":"Place","fields":[{"name":"city","type":"string"}]}}]}`

// seen is what read.py prints of each reader.
type seen struct {
	Files            int
	Count            int
	SumN             int64   `json:"sum_n"`
	SumX             float64 `json:"sum_x"`
	Rows             string
	Quarantined      string
	QuarantinedCount int `json:"quarantined_count"`
	Sample           string
}

// TestOthersRead: fastavro and DuckDB find in the files every record with its
// place, key, headers and payload, and nothing else (law L3).
func TestOthersRead(t *testing.T) {
	interpreter := testcache.Python(t, "pyread", "--only-binary", ":all:")
	dir := t.TempDir()
	want := landSome(t, dir)
	var have map[string]seen
	out := testcache.Run(t, testcache.NeedsPython, nil, interpreter, "read.py", dir)
	if err := json.Unmarshal(out, &have); err != nil {
		t.Fatalf("read.py printed %s: %v", out, err)
	}
	for _, reader := range []string{"fastavro", "duckdb"} {
		got := have[reader]
		want.Sample = got.Sample
		if got != want {
			t.Errorf("%s read   %+v\nwritten was %+v", reader, got, want)
		}
	}
}

// landSome lands 5,000 records, one in ten of them bad, over twelve hours and
// two batches, and returns what a reader must see.
func landSome(t *testing.T, dir string) seen {
	t.Helper()
	bucket, err := blob.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	}()
	topic, err := lake.OpenTopic(t.Context(), bucket, lake.Declaration{
		Topic: "readings", EventTime: "at", Format: "avro-raw", Schemas: []lake.SchemaDecl{{JSON: writerSchema}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := topic.Lander(t.Context(), 3, lake.LanderOptions{Now: func() time.Time { return time.UnixMilli(0) }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var rows, bad strings.Builder
	var want seen
	for i := range int64(5000) {
		r, ld, text := someRecord(i)
		if err := l.Append(&r, ld); err != nil {
			t.Fatal(err)
		}
		if ld.Invalid != "" {
			want.QuarantinedCount++
			bad.WriteString(text + "\n")
		} else {
			want.Count++
			want.SumN += i * 1_000_003
			want.SumX += float64(i) / 4 // exact in any order
			rows.WriteString(text + "\n")
		}
		if i == 2999 || i == 4999 {
			if err := l.Land(t.Context(), l.Seal()); err != nil {
				t.Fatal(err)
			}
		}
	}
	want.Rows, want.Quarantined = digest(rows.String()), digest(bad.String())
	want.Files = 2 * 13
	return want
}

// someRecord makes the i-th record and the text that read.py makes of it.
func someRecord(i int64) (lake.Record, lake.Landing, string) {
	at := int64(1357369200000) + i%12*3_600_000 + i
	id, note := fmt.Sprintf("réading-%d", i), fmt.Sprintf("note %d", i)
	value := binary.AppendVarint(nil, int64(len(id)))
	value = append(value, id...)
	value = binary.AppendVarint(value, at)
	value = binary.AppendVarint(value, i*1_000_003)
	value = binary.LittleEndian.AppendUint64(value, math.Float64bits(float64(i)/4))
	value = binary.AppendVarint(value, i%2) // color
	if i%3 == 0 {
		value, note = append(value, 0), "None"
	} else {
		value = append(value, 2)
		value = binary.AppendVarint(value, int64(len(note)))
		value = append(value, note...)
	}
	value = append(value, 8, 'R', 'o', 'm', 'e')
	r := lake.Record{Partition: 3, Offset: i, Timestamp: at - 1, Value: value}
	common := fmt.Sprintf("%d %d null []", i, at-1)
	if i%5 == 0 {
		r.Key = []byte{0, byte(i), 0xff}
		r.Headers = []lake.Header{{Key: "trace", Value: []byte("x")}, {Key: "\xff", Value: nil}}
		common = fmt.Sprintf("%d %d %x [%x=78 ff=null]", i, at-1, r.Key, "trace")
	}
	if i%10 == 7 {
		r.Value = r.Value[:i%6]
		return r, lake.Landing{Invalid: "truncated"}, fmt.Sprintf("%s truncated %x", common, r.Value)
	}
	if i%100 == 9 {
		r.Value = nil
		return r, lake.Landing{Invalid: "null_value"}, common + " null_value null"
	}
	text := fmt.Sprintf("%s %d %s %d %s %s %s Rome", common, at, id, i*1_000_003, pythonFloat(float64(i)/4), []string{"RED", "GREEN"}[i%2], note)
	return r, lake.Landing{Time: at, Payload: value}, text
}

// pythonFloat is Python's repr of a quarter.
func pythonFloat(x float64) string {
	if x == math.Trunc(x) {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprint(x)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

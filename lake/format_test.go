package lake

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
)

// oneFile frames records of one writer schema as the lander does.
func oneFile(t *testing.T, writer string, payloads ...[]byte) []byte {
	t.Helper()
	schema, err := rawSchema(writer)
	if err != nil {
		t.Fatal(err)
	}
	f := &buffer{}
	budget := NewBudget(1 << 20)
	for i, p := range payloads {
		r := &Record{Partition: 3, Offset: int64(i), Timestamp: 5, Headers: []Header{{Key: "k", Value: []byte("v")}}}
		need := rawBytes(r, p)
		fits, _ := f.room(need)
		b := f.grow(need, fits, budget)
		before := len(b.buf)
		b.buf = appendRaw(b.buf, r, p)
		if got := len(b.buf) - before; got != need {
			t.Fatalf("a record took %d bytes, %d were announced", got, need)
		}
		f.note(b, r.Offset, 0, need)
	}
	pieces, size, _ := identity{topic: "t", hour: "dt=2013-01-05/hr=07", schema: schema}.pieces(f.blocks)
	file := bytes.Join(pieces, nil)
	if int64(len(file)) != size {
		t.Fatalf("%d bytes, %d were announced", len(file), size)
	}
	return file
}

// TestOthersDecode: goavro, which shares nothing with our writer, reads the
// files of writer schemas that could disturb the envelope around them.
func TestOthersDecode(t *testing.T) {
	for name, c := range map[string]struct{ writer, native string }{
		"no namespace":    {`{"type":"record","name":"E","fields":[{"name":"a","type":"long"}]}`, `{"a":1}`},
		"namespace":       {`{"type":"record","name":"E","namespace":"x.y","fields":[{"name":"a","type":{"type":"enum","name":"S","symbols":["P","Q"]}},{"name":"b","type":"S"}]}`, `{"a":"Q","b":"P"}`},
		"recursive":       {`{"type":"record","name":"E","fields":[{"name":"v","type":"long"},{"name":"next","type":["null","E"]}]}`, `{"v":1,"next":{"E":{"v":2,"next":null}}}`},
		"clashing names":  {`{"type":"record","name":"TidemarkRaw","fields":[{"name":"a","type":{"type":"record","name":"TidemarkHeader","fields":[{"name":"partition","type":"string"}]}},{"name":"b","type":"TidemarkHeader"}]}`, `{"a":{"partition":"x"},"b":{"partition":"y"}}`},
		"clashing fields": {`{"type":"record","name":"E","fields":[{"name":"value","type":"string"},{"name":"offset","type":"string"}]}`, `{"value":"x","offset":"y"}`},
		"bytes":           {`{"type":"bytes","tidemark.format":"json","tidemark.time":"timestamp-millis"}`, `"{\"at\": 5}"`},
		"empty record":    {`{"type":"record","name":"E","fields":[]}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			codec, err := goavro.NewCodec(c.writer)
			if err != nil {
				t.Fatal(err)
			}
			native, _, err := codec.NativeFromTextual([]byte(c.native))
			if err != nil {
				t.Fatal(err)
			}
			payload, err := codec.BinaryFromNative(nil, native)
			if err != nil {
				t.Fatal(err)
			}
			file := oneFile(t, c.writer, payload, payload)
			in, err := goavro.NewOCFReader(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for in.Scan() {
				row, err := in.Read()
				if err != nil {
					t.Fatal(err)
				}
				text, err := codec.BinaryFromNative(nil, row.(map[string]any)["value"])
				if err != nil || !bytes.Equal(text, payload) {
					t.Errorf("value %q, want %q (%v)", text, payload, err)
				}
				n++
			}
			if in.Err() != nil || n != 2 {
				t.Errorf("%d rows, %v", n, in.Err())
			}
		})
	}
}

// TestPlantedMarker: a producer who foresees the marker and puts it into a
// payload does not get it into the file but once a block.
func TestPlantedMarker(t *testing.T) {
	writer := `{"type":"record","name":"E","fields":[{"name":"a","type":"bytes"}]}`
	markers := func(file []byte) (marker []byte, n int) {
		marker = file[len(file)-syncBytes:]
		return marker, bytes.Count(file, marker)
	}
	foreseen, n := markers(oneFile(t, writer, append([]byte{32}, make([]byte, 16)...)))
	if n != 2 {
		t.Fatalf("the marker is there %d times, want in the header and behind the block", n)
	}
	got, n := markers(oneFile(t, writer, append([]byte{32}, foreseen...)))
	if bytes.Equal(got, foreseen) || n != 2 {
		t.Errorf("the planted marker is in use: %d times", n)
	}
}

// TestBlocksAreBounded: a reader holds a block; only a record that is larger
// alone makes a larger one.
func TestBlocksAreBounded(t *testing.T) {
	f := &buffer{}
	budget := NewBudget(1 << 20)
	for i := range 5000 {
		r := &Record{Offset: int64(i), Key: make([]byte, i%977)}
		if i == 2500 {
			r.Key = make([]byte, 300_000)
		}
		need := rawBytes(r, nil)
		fits, growth := f.room(need)
		if fits && growth > blockCap+4*blockBytesMax {
			t.Fatalf("record %d: growth by %d", i, growth)
		}
		b := f.grow(need, fits, budget)
		b.buf = appendRaw(b.buf, r, nil)
		f.note(b, r.Offset, 0, need)
	}
	for i, b := range f.blocks {
		if len(b.records()) > blockBytesMax && b.count != 1 {
			t.Errorf("block %d has %d bytes in %d records", i, len(b.records()), b.count)
		}
		if len(b.records()) < blockBytesMax/2 && i < len(f.blocks)-1 && f.blocks[i+1].count != 1 {
			t.Errorf("block %d of %d has only %d bytes", i, len(f.blocks), len(b.records()))
		}
	}
}

func TestLongBytes(t *testing.T) {
	for shift := range 64 {
		for _, v := range []int64{1 << shift, 1<<shift - 1, -1 << shift, -1<<shift - 1} {
			if got, want := longBytes(v), len(binary.AppendVarint(nil, v)); got != want {
				t.Errorf("longBytes(%d) = %d, want %d", v, got, want)
			}
		}
	}
}

// TestSealedJSON: newer versions are told apart from damage, unknown members
// are refused.
func TestSealedJSON(t *testing.T) {
	type v1 struct {
		Version int    `json:"version"`
		Text    string `json:"text"`
	}
	data, err := sealJSON(v1{1, "a<b>&\u2028"})
	if err != nil {
		t.Fatal(err)
	}
	var back v1
	if err := openJSON(data, formatVersion, &back); err != nil || back.Text != "a<b>&\u2028" {
		t.Errorf("%s: %+v, %v", data, back, err)
	}
	newer, err := sealJSON(v1{2, ""})
	if err != nil {
		t.Fatal(err)
	}
	if err := openObject("k", newer, formatVersion, &back); err == nil || !strings.Contains(err.Error(), "newer tidemark") || strings.Contains(err.Error(), "corrupt") {
		t.Errorf("a newer version: %v", err)
	}
	more, err := sealJSON(map[string]any{"version": 1, "extra": true})
	if err != nil {
		t.Fatal(err)
	}
	if err := openJSON(more, formatVersion, &back); err == nil {
		t.Error("an unknown member is accepted")
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 4
		if openJSON(bad, formatVersion, &back) == nil || openJSON(data[:i], formatVersion, &back) == nil {
			t.Errorf("a fault at byte %d is accepted", i)
		}
	}
}

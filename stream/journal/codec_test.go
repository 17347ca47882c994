package journal

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
)

var examples = map[string]Entry{
	"late": {Kind: Late, Time: 1357740000000, Task: 1, Topic: "flights", Partition: 1, Offset: 7688,
		Fingerprint: "f81c2e000000", Watermark: 1357804800000, HasWatermark: true, TopicID: "q3F", Partitions: 4},
	"missed": {Kind: Missed, Time: -1, Task: 0, Topic: "flights", Partition: 0, Offset: 12, Output: "departures-hourly",
		Fingerprint: "f81c2e000000", Watermark: 0, HasWatermark: true, TopicID: "q3F", Partitions: 4},
	"invalid": {Kind: Invalid, Time: NoTime, Task: 2, Topic: "flights", Partition: 2, Offset: math.MaxInt64,
		Reason: "truncated", Fingerprint: "f81c2e000000", TopicID: "q3F", Partitions: 4},
	"born": {Kind: Born, Seq: 1, Time: NoTime, Task: 3, Topic: "flights", Partition: 3, Offset: 0,
		Fingerprint: "f81c2e000000", TopicID: "q3F", Partitions: 4},
	"idle": {Kind: Idle, Seq: 2, Time: 1357740000000, Task: 3, Topic: "flights", Partition: 3, Offset: 99,
		Reason: "idle for 5m", Fingerprint: "f81c2e000000", Watermark: 1357740000000, HasWatermark: true, TopicID: "q3F", Partitions: 4},
	"change": {Kind: Change, Seq: 3, Time: NoTime, Task: 3, Topic: "flüge", Partition: 3, Offset: 100,
		Reason: "added 2 partitions", Fingerprint: "0123456789ab", Watermark: math.MinInt64, HasWatermark: true, TopicID: "q3F", Partitions: 6},
	"end": {Kind: End, Seq: 4},
}

// TestGoldenBytes holds old bytes against today's codec, in both directions (invariants 1 and 4).
func TestGoldenBytes(t *testing.T) {
	files, err := filepath.Glob("testdata/v1-*.hex")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(examples) {
		t.Fatalf("%d golden files for %d examples", len(files), len(examples))
	}
	for _, file := range files {
		want := examples[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "v1-"), ".hex")]
		old := readHex(t, file)
		got, err := Decode(old)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got != want {
			t.Errorf("%s decodes to\n%+v, want\n%+v", file, got, want)
		}
		if now := Append(nil, &want); !bytes.Equal(now, old) {
			t.Errorf("%s is written as\n%x now, was\n%x", file, now, old)
		}
	}
}

// readHex reads hexadecimal bytes; each line may begin with words, which a colon ends.
func readHex(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		if _, after, found := strings.Cut(line, ":"); found {
			line = after
		}
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return b
}

// TestGoavroReadsEntries: an independent Avro library reads what Append writes, and writes what Decode reads
// (invariant 3).
func TestGoavroReadsEntries(t *testing.T) {
	codec, err := goavro.NewCodec(Schema())
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range examples {
		ours := Append(nil, &e)
		native, rest, err := codec.NativeFromBinary(ours)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%s: %v, %d bytes left", name, err, len(rest))
		}
		if got := native.(map[string]any); !reflect.DeepEqual(got, asNative(&e)) {
			t.Errorf("%s: goavro reads\n%v, want\n%v", name, got, asNative(&e))
		}
		theirs, err := codec.BinaryFromNative(nil, asNative(&e))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s: goavro writes\n%x, we\n%x", name, theirs, ours)
		}
	}
}

func asNative(e *Entry) map[string]any {
	m := map[string]any{
		"kind": e.Kind.String(), "seq": e.Seq, "time": time.UnixMilli(e.Time).UTC(), "task": e.Task, "topic": e.Topic,
		"partition": e.Partition, "offset": e.Offset, "output": nil, "reason": e.Reason, "fingerprint": e.Fingerprint,
		"watermark": nil, "topic_id": e.TopicID, "partitions": e.Partitions,
	}
	if e.Output != "" {
		m["output"] = map[string]any{"string": e.Output}
	}
	if e.HasWatermark {
		m["watermark"] = map[string]any{"long": e.Watermark}
	}
	return m
}

// TestDecodeRefuses: every proper prefix, trailing bytes, and each kind of byte that no writer writes (invariant 2).
func TestDecodeRefuses(t *testing.T) {
	e := examples["missed"]
	good := Append(nil, &e)
	for n := range good {
		if _, err := Decode(good[:n]); err == nil {
			t.Errorf("a prefix of %d bytes of %d decodes", n, len(good))
		}
	}
	for name, bad := range map[string][]byte{
		"trailing byte":     append(bytes.Clone(good), 0),
		"unknown kind":      append([]byte{byte(kinds) << 1}, good[1:]...),
		"negative kind":     append([]byte{1}, good[1:]...),
		"long form of zero": append([]byte{0x80, 0x00}, good[1:]...),
		"bad UTF-8":         bytes.Replace(good, []byte("flights"), []byte("fl\xffghts"), 1),
		"huge length":       append(bytes.Clone(good[:4]), 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
		"empty":             {},
	} {
		if got, err := Decode(bad); err == nil {
			t.Errorf("%s decodes to %+v", name, got)
		} else if !strings.HasPrefix(err.Error(), "decode journal entry of ") {
			t.Errorf("%s: the error does not say what was attempted: %v", name, err)
		}
	}
}

// TestRandomEntries: Decode(Append(e)) is e, and bytes with a flipped bit either fail or are the canonical bytes of
// what they decode to (invariants 1 and 2).
func TestRandomEntries(t *testing.T) {
	const seed = 20130109
	r := rand.New(rand.NewPCG(seed, 0))
	text := func() string { return strings.Repeat("é", r.IntN(5)) + strings.Repeat("x", r.IntN(80)) }
	for range 2000 {
		e := Entry{Kind: Kind(r.IntN(int(kinds))), Seq: r.Int64(), Time: int64(r.Uint64()), Task: int32(r.Uint32()), Topic: text(),
			Partition: int32(r.Uint32()), Offset: r.Int64(), Output: text(), Reason: text(), Fingerprint: text(), TopicID: text(), Partitions: r.Int32()}
		if e.HasWatermark = r.IntN(2) == 0; e.HasWatermark {
			e.Watermark = int64(r.Uint64())
		}
		b := Append(nil, &e)
		if got, err := Decode(b); err != nil || got != e {
			t.Fatalf("seed %d: %+v became %+v, %v", seed, e, got, err)
		}
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		if got, err := Decode(b); err == nil && !bytes.Equal(Append(nil, &got), b) {
			t.Fatalf("seed %d: %x decodes to %+v, which is written in another way", seed, b, got)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	e, buf := examples["late"], make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf = Append(buf[:0], &e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestKindNames(t *testing.T) {
	for k := Late; k < kinds; k++ {
		if want := k != Late && k != Missed && k != Invalid; k.Decision() != want {
			t.Errorf("%v.Decision() is %v", k, k.Decision())
		}
	}
	if got := kinds.String(); got != "Kind(7)" || kinds.Decision() {
		t.Errorf("an unknown kind is %q, a decision: %v", got, kinds.Decision())
	}
}

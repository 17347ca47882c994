package schema

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/avro"
)

func TestMain(m *testing.M) {
	// goavro allocates by a block's count before it looks at the bytes: with
	// its default, one corrupted byte takes 32 GiB. Our code validates first.
	goavro.MaxBlockCount = 1 << 16
	os.Exit(m.Run())
}

const differentialSchemas = 600

// Invariant 2: valid input gives what goavro gives. Every generated schema's
// fields that can be projected are, in one row, and each datum is also decoded
// by twmb/avro.
func TestAgreesWithGoavro(t *testing.T) {
	projected := 0
	for seed := range uint64(differentialSchemas) {
		s := newSample(t, seed)
		other, err := avro.Parse(string(s.text))
		if err != nil {
			t.Fatal(err)
		}
		paths, p := s.projection(t)
		row := make([]Value, len(paths))
		for range 8 {
			native, payload := s.value(t)
			if err := p.Decode(payload, row); err != nil {
				t.Fatalf("seed %d: %v\n%s\n%x", seed, err, s.text, payload)
			}
			for i, path := range paths {
				if want := expectedValue(native, path); !sameValue(row[i], want) {
					t.Fatalf("seed %d: %s is %s %s, want %s %s", seed, path, row[i].Kind, row[i], want.Kind, want)
				}
				projected++
			}
			var v any
			if rest, err := other.Decode(payload, &v); err != nil || len(rest) > 0 {
				t.Fatalf("seed %d: twmb: %v, %d bytes left", seed, err, len(rest))
			}
		}
	}
	if projected < 10_000 {
		t.Fatalf("only %d values were compared: the generator makes too little", projected)
	}
}

func (s *sample) paths() []string {
	var out []string
	for _, f := range s.schema.Paths() {
		out = append(out, f.Name)
	}
	slices.Reverse(out) // the row's order is the caller's
	return out
}

// expectedValue walks a native value of goavro by path.
func expectedValue(native any, path string) Value {
	for name := range strings.SplitSeq(path, ".") {
		record := unwrap(native)
		if record == nil {
			return NullValue()
		}
		native = record.(map[string]any)[name]
	}
	switch v := unwrap(native).(type) {
	case nil:
		return NullValue()
	case bool:
		return BoolValue(v)
	case int32:
		return IntValue(int64(v))
	case int64:
		return IntValue(v)
	case float32:
		return FloatValue(float64(v))
	case float64:
		return FloatValue(v)
	case string:
		return StringValue([]byte(v))
	case []byte:
		return BytesValue(v)
	}
	return StringValue(fmt.Appendf(nil, "no scalar: %T", native))
}

// unwrap takes goavro's wrapper off a union's value: its keys are type names,
// those of generated records are field names (f0, ...).
func unwrap(v any) any {
	object, ok := v.(map[string]any)
	if !ok || len(object) != 1 {
		return v
	}
	for key, inner := range object {
		if slices.Contains(primitives, key) || strings.HasPrefix(key, "gen.") || strings.HasPrefix(key, "other.") || key == "array" || key == "map" {
			return inner
		}
	}
	return v
}

func sameValue(a, b Value) bool {
	return a.Kind == b.Kind && a.Num == b.Num && bytes.Equal(a.Bytes, b.Bytes)
}

// What a decoder takes that we refuse, and the other way round. Anything else
// that differs on corrupted bytes is a fault of one of us.
var (
	goavroTakes = []string{
		ReasonIntRange,      // an int of 33 bits wraps, one of more than 5 bytes is taken
		ReasonBadVarint,     // eleven bytes and more, and bits beyond 64
		ReasonBadUTF8,       // strings are not checked
		ReasonBadBlock,      // the size of a block is skipped, whatever it says
		ReasonTruncated,     // the same size, when it says more than there is
		ReasonBadLength,     // the same size, when it is negative
		ReasonTooManyItems,  // an array of null may have 2^31 items
		ReasonTrailingBytes, // left to the caller
	}
	twmbTakes = []string{
		ReasonBadBool,       // 2 and above are true
		ReasonBadUTF8,       // strings are not checked when decoded to any
		ReasonBadBlock,      // the size of a block is skipped when items are read
		ReasonTruncated,     // the same
		ReasonBadLength,     // the same
		ReasonTrailingBytes, // left to the caller
	}
	goavroRefuses = []string{"duplicate key", "MaxBlockCount"}
)

// Invariants 2 and 3: on corrupted bytes we are never the laxer one, except
// for what goavro alone refuses (a map's key given twice).
func TestCorruptedBytesAgainstOthers(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(differentialSchemas) {
		s := newSample(t, seed)
		other, err := avro.Parse(string(s.text))
		if err != nil {
			t.Fatal(err)
		}
		check, err := s.schema.Project(nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			_, payload := s.value(t)
			bad := s.gen.corrupt(payload)
			ours := check.Decode(bad, nil)
			reason := reasonOf(t, ours)
			seen[reason]++
			native, rest, err := s.codec.NativeFromBinary(bad)
			judge(t, "goavro", s, bad, ours, reason, err, goavroTakes, goavroRefuses)
			if ours == nil && err == nil {
				compareAll(t, s, bad, native, rest)
			}
			var v any
			_, err = other.Decode(bad, &v)
			judge(t, "twmb", s, bad, ours, reason, err, twmbTakes, nil)
		}
	}
	t.Log(seen)
	for _, reason := range []string{"", ReasonTruncated, ReasonTrailingBytes, ReasonBadUTF8, ReasonBadLength, ReasonBadUnion, ReasonBadBool, ReasonBadEnum, ReasonIntRange} {
		if seen[reason] == 0 {
			t.Errorf("corruption never led to %q: the test proves little", reason)
		}
	}
}

// corrupt changes a few bytes, or the length.
func (g *generator) corrupt(payload []byte) []byte {
	out := bytes.Clone(payload)
	switch g.rng.IntN(6) {
	case 0:
		return append(out, byte(g.rng.IntN(256)))
	case 1:
		return out[:g.rng.IntN(len(out)+1)]
	}
	for range 1 + g.rng.IntN(3) {
		if len(out) == 0 {
			return out
		}
		i := g.rng.IntN(len(out))
		switch g.rng.IntN(3) {
		case 0:
			out[i] = byte(g.rng.IntN(256))
		case 1:
			out[i] ^= 1 << g.rng.IntN(8)
		default:
			out = slices.Insert(out, i, 0x80|byte(g.rng.IntN(128)))
		}
	}
	return out
}

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var re *RecordError
	if !errors.As(err, &re) || re.Reason == "" || re.Err == nil {
		t.Fatalf("want a RecordError with a reason and a cause, have %v", err)
	}
	return re.Reason
}

func judge(t *testing.T, who string, s *sample, bad []byte, ours error, reason string, theirs error, takes, refuses []string) {
	t.Helper()
	switch {
	case ours != nil && theirs == nil && !slices.Contains(takes, reason):
		t.Errorf("%s takes what we refuse: %v\n%s\n%x", who, ours, s.text, bad)
	case ours == nil && theirs != nil && !slices.ContainsFunc(refuses, func(r string) bool { return strings.Contains(theirs.Error(), r) }):
		t.Errorf("%s refuses what we take: %v\n%s\n%x", who, theirs, s.text, bad)
	}
}

// compareAll: bytes that both take mean the same.
func compareAll(t *testing.T, s *sample, payload []byte, native any, rest []byte) {
	t.Helper()
	if len(rest) > 0 {
		t.Errorf("goavro has %d bytes left of what we took whole\n%s\n%x", len(rest), s.text, payload)
	}
	paths, p := s.projection(t)
	row := make([]Value, len(paths))
	if err := p.Decode(payload, row); err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		if want := expectedValue(native, path); !sameValue(row[i], want) {
			t.Errorf("%s is %s, goavro has %s\n%s\n%x", path, row[i], want, s.text, payload)
		}
	}
}

// Invariant 3: a datum cut off at any byte is an error, whatever its schema.
func TestTruncatedAtEveryByte(t *testing.T) {
	for seed := range uint64(100) {
		s := newSample(t, seed)
		_, payload := s.value(t)
		paths, p := s.projection(t)
		row := make([]Value, len(paths))
		for n := range payload {
			if err := p.Decode(payload[:n:n], row); reasonOf(t, err) == "" {
				t.Fatalf("seed %d: %d of %d bytes were taken\n%s\n%x", seed, n, len(payload), s.text, payload)
			}
		}
	}
}

// Signalling NaNs and payload bits are gone after decoding: one NaN. (FORMAT.md)
func TestNaNIsCanonical(t *testing.T) {
	s, err := Parse([]byte(`{"type": "record", "name": "r", "fields": [{"name": "d", "type": "double"}, {"name": "f", "type": "float"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Project([]string{"d", "f"})
	if err != nil {
		t.Fatal(err)
	}
	row := make([]Value, 2)
	for _, payload := range []string{"\x01\x00\x00\x00\x00\x00\xf0\xff\x01\x00\x80\xff", "\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\x7f"} {
		if err := p.Decode([]byte(payload), row); err != nil {
			t.Fatal(err)
		}
		for _, v := range row {
			if v.Num != CanonicalNaN || !math.IsNaN(v.Float()) {
				t.Errorf("%x: %x", payload, v.Num)
			}
		}
	}
}

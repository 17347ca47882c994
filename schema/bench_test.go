package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// w1Schema is the shape of the record that the engine is measured with.
const w1Schema = `{"type": "record", "name": "W1", "fields": [
	{"name": "event_id", "type": "string"},
	{"name": "user", "type": "string"},
	{"name": "category", "type": "string"},
	{"name": "amount", "type": "double"},
	{"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "note", "type": "string"}]}`

func w1Payloads(tb testing.TB, s *Schema, n int) [][]byte {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		line := fmt.Sprintf(`{"event_id": "%08x-0000-4000-8000-%012x", "user": "user-%05d", "category": "category-%d", "amount": %g, "ts": %d, "note": %q}`,
			rng.Uint32(), rng.Int64N(1<<48), rng.IntN(100_000), rng.IntN(20), float64(rng.IntN(100_000))/100, 1_700_000_000_000+rng.Int64N(86_400_000), strings.Repeat("note ", 16))
		var err error
		if out[i], err = s.AppendJSON(nil, []byte(line)); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

func w1Decoder(tb testing.TB) (*Decoder, [][]byte) {
	tb.Helper()
	s, err := Parse([]byte(w1Schema))
	if err != nil {
		tb.Fatal(err)
	}
	d, err := NewDecoder(s, Wire{}, EventDef{Time: "ts"}, []string{"user", "amount"})
	if err != nil {
		tb.Fatal(err)
	}
	return d, w1Payloads(tb, s, 1024)
}

// BenchmarkDecode reads user, amount and ts of the W1 record, everything
// validated. One op is one event.
func BenchmarkDecode(b *testing.B) {
	d, payloads := w1Decoder(b)
	var ev Event
	b.SetBytes(int64(len(payloads[0])))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := d.Decode(payloads[i%len(payloads)], &ev); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkIdentity hashes the row of BenchmarkDecode.
func BenchmarkIdentity(b *testing.B) {
	d, payloads := w1Decoder(b)
	var ev Event
	if err := d.Decode(payloads[0], &ev); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var sum byte
	for b.Loop() {
		id := d.Identity(&ev)
		sum ^= id[0]
	}
	_ = sum
}

// BenchmarkToJSON and BenchmarkAppendJSON are the edges: not on the hot path.
func BenchmarkToJSON(b *testing.B) {
	s, err := Parse([]byte(w1Schema))
	if err != nil {
		b.Fatal(err)
	}
	payload := w1Payloads(b, s, 1)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.ToJSON(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	s, err := Parse([]byte(w1Schema))
	if err != nil {
		b.Fatal(err)
	}
	line, err := s.ToJSON(w1Payloads(b, s, 1)[0])
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if dst, err = s.AppendJSON(dst[:0], line); err != nil {
			b.Fatal(err)
		}
	}
}

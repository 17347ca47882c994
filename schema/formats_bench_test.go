package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func w1JSON(n int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `{"event_id":"%08x-0000-4000-8000-%012x","user":"user-%05d","category":"category-%d","amount":%g,"ts":%d,"note":%q}`,
			rng.Uint32(), rng.Int64N(1<<48), rng.IntN(100_000), rng.IntN(20), float64(rng.IntN(100_000))/100, 1_700_000_000_000+rng.Int64N(86_400_000), strings.Repeat("note ", 16))
	}
	return out
}

// BenchmarkDecodeJSON reads user, amount and ts of the W1 record as JSON, everything validated.
func BenchmarkDecodeJSON(b *testing.B) {
	r := mustReader(b, Source{Format: FormatJSON, Schema: []byte(w1Schema), Event: EventDef{Time: "ts"}}, "user", "amount")
	texts := w1JSON(1024)
	var ev Event
	b.SetBytes(int64(len(texts[0])))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := r.Decode(texts[i%len(texts)], &ev); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

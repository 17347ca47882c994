package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
)

// generator makes schemas and values from a seed. Values are what goavro takes,
// so what the engine's decoder reads was written by other code.
type generator struct {
	rng   *rand.Rand
	named []*gtype // so far, for references
	count int
}

// gtype is a generated type: its schema, and what is needed for values.
type gtype struct {
	kind   string
	schema any
	name   string
	size   int
	fields []gfield
	items  *gtype
	union  []*gtype
	open   bool // a record whose fields are being made: referring to it is recursion
}

type gfield struct {
	name string
	typ  *gtype
}

func newGenerator(seed uint64) *generator {
	return &generator{rng: rand.New(rand.NewPCG(seed, 0x7464))}
}

var primitives = []string{"null", "boolean", "int", "long", "float", "double", "string", "bytes"}

func (g *generator) record(depth int) *gtype {
	g.count++
	t := &gtype{kind: "record", name: fmt.Sprintf("gen.R%d", g.count), open: true}
	g.named = append(g.named, t)
	fields := []any{}
	for i := range 1 + g.rng.IntN(6) {
		f := gfield{name: fmt.Sprintf("f%d", i), typ: g.typ(depth+1, false)}
		t.fields = append(t.fields, f)
		fields = append(fields, map[string]any{"name": f.name, "type": f.typ.schema})
	}
	t.open = false
	def := map[string]any{"type": "record", "name": t.name, "fields": fields}
	t.schema = def
	if depth > 0 {
		t.schema = t.name // later uses refer to it; the first has the definition
		return &gtype{kind: "record", schema: def, name: t.name, fields: t.fields}
	}
	return t
}

// typ makes any type. A union's branch is no union, and a recursive reference
// only comes where null, an empty array or an empty map can end it.
func (g *generator) typ(depth int, inUnion bool) *gtype {
	n := g.rng.IntN(16)
	if depth > 4 {
		n = g.rng.IntN(9)
	}
	switch {
	case n < 8:
		return &gtype{kind: primitives[n], schema: primitives[n]}
	case n == 8:
		g.count++
		t := &gtype{kind: "fixed", name: fmt.Sprintf("gen.F%d", g.count), size: 1 + g.rng.IntN(20)}
		t.schema = map[string]any{"type": "fixed", "name": t.name, "size": t.size}
		return t
	case n == 9:
		g.count++
		t := &gtype{kind: "enum", name: fmt.Sprintf("E%d", g.count), size: 1 + g.rng.IntN(3)}
		t.schema = map[string]any{"type": "enum", "name": t.name, "namespace": "other", "symbols": []string{"A", "B", "C"}[:t.size]}
		t.name = "other." + t.name
		return t
	case n == 10:
		return g.record(depth)
	case n == 11:
		items := g.typ(depth+1, false)
		return &gtype{kind: "array", schema: map[string]any{"type": "array", "items": items.schema}, items: items}
	case n == 12:
		items := g.typ(depth+1, false)
		return &gtype{kind: "map", schema: map[string]any{"type": "map", "values": items.schema}, items: items}
	}
	if inUnion {
		return &gtype{kind: "string", schema: "string"}
	}
	return g.union(depth)
}

func (g *generator) union(depth int) *gtype {
	t := &gtype{kind: "union"}
	null := &gtype{kind: "null", schema: "null"}
	used := map[string]bool{}
	add := func(b *gtype) {
		if key := b.key(); !used[key] {
			used[key] = true
			t.union = append(t.union, b)
		}
	}
	switch g.rng.IntN(4) {
	case 0:
		add(null)
		add(g.typ(depth+1, true))
	case 1:
		add(g.typ(depth+1, true))
		add(null)
	case 2:
		add(null)
		add(g.named[g.rng.IntN(len(g.named))])
		if t.union[1].open {
			t.union[1] = &gtype{kind: "recursive", schema: t.union[1].name, name: t.union[1].name, items: t.union[1]}
		} else {
			ref := *t.union[1]
			ref.schema = ref.name
			t.union[1] = &ref
		}
	default:
		for range 1 + g.rng.IntN(4) {
			add(g.typ(depth+1, true))
		}
	}
	schemas := make([]any, len(t.union))
	for i, b := range t.union {
		schemas[i] = b.schema
	}
	t.schema = schemas
	return t
}

// key is what goavro calls the type as a branch.
func (t *gtype) key() string {
	if t.name != "" {
		return t.name
	}
	return t.kind
}

var edgeInts = []int64{0, 1, -1, 63, -64, 64, math.MaxInt32, math.MinInt32, 1<<53 + 1, -(1<<53 + 1), math.MaxInt64, math.MinInt64}
var edgeFloats = []float64{0, math.Copysign(0, -1), 1.5, -2.25, math.MaxFloat32, 1e-40, math.Inf(1), math.Inf(-1), 0.1}
var edgeTexts = []string{"", "a", "JFK", "ÄÖ", "日本語", "\x00\n\"\\", "🦜 long enough for more than sixteen bytes", strings.Repeat("x", 200)}

// value makes a value; depth bounds recursion.
func (g *generator) value(t *gtype, depth int) any {
	switch t.kind {
	case "boolean":
		return g.rng.IntN(2) == 1
	case "int":
		return int32(edgeInts[g.rng.IntN(8)])
	case "long":
		if g.rng.IntN(2) == 0 {
			return edgeInts[g.rng.IntN(len(edgeInts))]
		}
		return int64(g.rng.Uint64()) >> g.rng.IntN(64)
	case "float":
		return float32(edgeFloats[g.rng.IntN(len(edgeFloats))])
	case "double":
		return edgeFloats[g.rng.IntN(len(edgeFloats))]
	case "string":
		return edgeTexts[g.rng.IntN(len(edgeTexts))]
	case "bytes", "fixed":
		n := t.size
		if t.kind == "bytes" {
			n = g.rng.IntN(20)
		}
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(g.rng.IntN(256))
		}
		return b
	case "enum":
		return []string{"A", "B", "C"}[g.rng.IntN(t.size)]
	case "record":
		out := map[string]any{}
		for _, f := range t.fields {
			out[f.name] = g.value(f.typ, depth+1)
		}
		return out
	case "array":
		out := make([]any, g.length(depth))
		for i := range out {
			out[i] = g.value(t.items, depth+1)
		}
		return out
	case "map":
		out := map[string]any{}
		for i := range g.length(depth) {
			out[fmt.Sprintf("k%d-%s", i, edgeTexts[g.rng.IntN(3)])] = g.value(t.items, depth+1)
		}
		return out
	case "recursive":
		return g.value(t.items, depth+1)
	case "union":
		return g.unionValue(t, depth)
	}
	return nil
}

func (g *generator) length(depth int) int {
	if depth > 12 {
		return 0
	}
	return g.rng.IntN(4)
}

func (g *generator) unionValue(t *gtype, depth int) any {
	b := t.union[g.rng.IntN(len(t.union))]
	if depth > 12 {
		for _, other := range t.union {
			if other.kind == "null" {
				b = other
			}
		}
	}
	if b.kind == "null" {
		return nil
	}
	return map[string]any{b.key(): g.value(b, depth+1)}
}

// sample is a generated schema, with goavro's codec for it.
type sample struct {
	gen    *generator
	typ    *gtype
	text   []byte
	schema *Schema
	codec  *goavro.Codec
}

func newSample(t *testing.T, seed uint64) *sample {
	t.Helper()
	g := newGenerator(seed)
	s := &sample{gen: g, typ: g.record(0)}
	var err error
	if s.text, err = json.Marshal(s.typ.schema); err != nil {
		t.Fatal(err)
	}
	if s.codec, err = goavro.NewCodec(string(s.text)); err != nil {
		t.Fatalf("goavro: %v: %s", err, s.text)
	}
	if s.schema, err = Parse(s.text); err != nil {
		t.Fatalf("%v: %s", err, s.text)
	}
	return s
}

// projection reads all of the sample's fields that can be read.
func (s *sample) projection(t *testing.T) (paths []string, p *Projection) {
	t.Helper()
	paths = s.paths()
	p, err := s.schema.Project(paths)
	if err != nil {
		t.Fatalf("%v: %s", err, s.text)
	}
	return paths, p
}

// value makes a value and its datum, as goavro writes it.
func (s *sample) value(t *testing.T) (native map[string]any, payload []byte) {
	t.Helper()
	native = s.gen.value(s.typ, 0).(map[string]any)
	payload, err := s.codec.BinaryFromNative(nil, native)
	if err != nil {
		t.Fatal(err)
	}
	return native, payload
}

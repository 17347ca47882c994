package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// jsonMaker writes JSON documents at random: of the fields of orderAvro, and others.
type jsonMaker struct {
	rng *rand.Rand
	out []byte
}

func (g *jsonMaker) space() {
	for range g.rng.IntN(2) {
		g.out = append(g.out, " \t\r\n"[g.rng.IntN(4)])
	}
}

// text writes a string, some characters of it escaped.
func (g *jsonMaker) text(s string) {
	g.out = append(g.out, '"')
	for _, r := range s {
		switch {
		case r < 0x20 || r == '"' || r == '\\':
			g.out = fmt.Appendf(g.out, "\\u%04x", r)
		case r < 0x10000 && g.rng.IntN(8) == 0:
			g.out = fmt.Appendf(g.out, "\\u%04X", r)
		default:
			g.out = append(g.out, string(r)...)
		}
	}
	g.out = append(g.out, '"')
}

func (g *jsonMaker) any(depth int) {
	switch n := g.rng.IntN(7); {
	case n == 0 && depth < 4:
		g.object(depth+1, []string{"a", "b", "ä", "n"}, func(string) { g.any(depth + 1) })
	case n == 1 && depth < 4:
		g.out = append(g.out, '[')
		for i := range g.rng.IntN(4) {
			if i > 0 {
				g.out = append(g.out, ',')
			}
			g.space()
			g.any(depth + 1)
		}
		g.space()
		g.out = append(g.out, ']')
	case n == 2:
		g.out = append(g.out, []string{"true", "false", "null"}[g.rng.IntN(3)]...)
	case n < 5:
		g.text(edgeTexts[g.rng.IntN(len(edgeTexts))])
	default:
		g.number()
	}
}

func (g *jsonMaker) number() {
	g.out = append(g.out, []string{
		"0", "-0", "5", "-7", "5.0", "5.5", "1e3", "12e-1", "0.1", "9007199254740993", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", "1e400", "123456789012345678901234567890.5", "0.001", "-1.28", "150e-1", "2147483648", "1E+2",
	}[g.rng.IntN(20)]...)
}

// numberOf writes a number that mostly fits a field.
func (g *jsonMaker) numberOf(key string) {
	if g.rng.IntN(10) == 0 {
		g.number()
		return
	}
	g.out = append(g.out, map[string][]string{
		"n":     {"9007199254740993", "-9223372036854775808", "12.0", "12e3"},
		"small": {"5", "-7", "null", "2147483647"},
		"x":     {"0.1", "-0", "1e300", `"NaN"`},
		"price": {"12.5", `"-1.28"`, "150e-1", "1E+2"},
	}[key][g.rng.IntN(4)]...)
}

func (g *jsonMaker) person(key string) {
	switch {
	case g.rng.IntN(24) == 0 || key == "extra":
		g.any(2)
	case key == "name":
		g.text("Zoë")
	default:
		g.numberOf("small")
	}
}

func (g *jsonMaker) item(key string) {
	switch {
	case g.rng.IntN(24) == 0:
		g.any(2)
	case key == "sku":
		g.text("s")
	default:
		g.numberOf("n")
	}
}

// object writes some of the members, in any order.
func (g *jsonMaker) object(depth int, keys []string, value func(key string)) {
	g.out = append(g.out, '{')
	first := true
	for _, i := range g.rng.Perm(len(keys)) {
		if g.rng.IntN(4) == 0 && depth > 0 {
			continue
		}
		if !first {
			g.out = append(g.out, ',')
		}
		first = false
		g.space()
		g.text(keys[i])
		g.space()
		g.out = append(g.out, ':')
		g.space()
		value(keys[i])
	}
	g.space()
	g.out = append(g.out, '}')
}

// order writes an order whose values mostly have the right type.
func (g *jsonMaker) order() []byte {
	g.out = nil
	g.space()
	g.object(0, []string{"id", "at", "n", "small", "x", "price", "kind", "ok", "who", "items", "other", "more"}, func(key string) {
		if g.rng.IntN(24) == 0 {
			g.any(0)
			return
		}
		switch key {
		case "id":
			g.text(edgeTexts[g.rng.IntN(len(edgeTexts))])
		case "at":
			g.out = append(g.out, []string{"0", "1357397400000", `"2013-01-05T07:30:00.1Z"`, `"1970-01-01T00:00:00-05:30"`}[g.rng.IntN(4)]...)
		case "n", "small", "x", "price":
			g.numberOf(key)
		case "kind":
			g.text([]string{"A", "B", "A", "B", "C"}[g.rng.IntN(5)])
		case "ok":
			g.out = strconv.AppendBool(g.out, g.rng.IntN(2) == 0)
		case "who":
			g.object(0, []string{"name", "age", "extra"}, g.person)
		case "items":
			g.out = append(g.out, '[')
			for i := range g.rng.IntN(3) {
				if i > 0 {
					g.out = append(g.out, ',')
				}
				g.object(0, []string{"sku", "qty"}, g.item)
			}
			g.out = append(g.out, ']')
		default:
			g.any(0)
		}
	})
	return g.out
}

// expectedJSON is what encoding/json with UseNumber makes of a field, by rules written down here a second time. Bad
// says that the value is none of the field.
func expectedJSON(doc any, field Field) (v Value, bad bool) {
	at := doc
	for name := range strings.SplitSeq(field.Name, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return NullValue(), at != nil
		}
		at = object[name]
	}
	if at == nil {
		return NullValue(), !field.Type.Nullable
	}
	switch t := field.Type; {
	case t.Logical == "timestamp-millis":
		if text, ok := at.(string); ok {
			parsed, err := time.Parse(time.RFC3339Nano, text)
			return IntValue(parsed.UnixMilli()), err != nil
		}
		v, bad := exactOf(at, t)
		return v, bad || v.Int() < MinTime || v.Int() > MaxTime
	case t.Kind == KindInt || t.Logical == "decimal":
		return exactOf(at, t)
	case t.Kind == KindFloat:
		number, ok := at.(json.Number)
		f, err := number.Float64()
		text, special := at.(string)
		if special && slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, text) {
			f, err = strconv.ParseFloat(text, 64)
			ok = true
		}
		return FloatValue(f), !ok || err != nil
	case t.Kind == KindString:
		text, ok := at.(string)
		return StringValue([]byte(text)), !ok || t.Symbols != nil && !slices.Contains(t.Symbols, text)
	case t.Kind == KindBool:
		b, ok := at.(bool)
		return BoolValue(b), !ok
	}
	return NullValue(), true
}

// exactOf reads a number by big.Rat.
func exactOf(at any, t Type) (Value, bool) {
	number, ok := at.(json.Number)
	if text, isText := at.(string); isText && t.Logical == "decimal" {
		number, ok = json.Number(text), json.Valid([]byte(text)) && strings.ContainsAny(text[:1], "-0123456789")
	}
	r, parsed := new(big.Rat).SetString(number.String())
	if !ok || !parsed {
		return Value{}, true
	}
	if t.Logical == "decimal" {
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)))
		if !r.IsInt() || len(new(big.Int).Abs(r.Num()).String()) > t.Precision {
			return Value{}, true
		}
		return BytesValue(twosComplement(new(big.Int).Set(r.Num()))), false
	}
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	if t.Avro == "int" {
		least, most = math.MinInt32, math.MaxInt32
	}
	if !r.IsInt() || !r.Num().IsInt64() || r.Num().Int64() < least || r.Num().Int64() > most {
		return Value{}, true
	}
	return IntValue(r.Num().Int64()), false
}

// Invariant 8: documents mean what encoding/json says they mean.
func TestJSONAgreesWithEncodingJSON(t *testing.T) {
	base := orderSource("")
	base.Schema = bytes.Replace(base.Schema, []byte(`{"name": "raw", "type": ["null", "bytes"]},`), nil, 1)
	shape, err := base.Shape()
	if err != nil {
		t.Fatal(err)
	}
	fields := shape.Paths()
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	r := mustReader(t, base, names...)
	var ev Event
	good, bad := 0, 0
	for seed := range uint64(6_000) {
		g := &jsonMaker{rng: rand.New(rand.NewPCG(seed, 7))}
		text := g.order()
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var doc any
		if err := dec.Decode(&doc); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		err := r.Decode(text, &ev)
		anyBad := !soundItems(doc.(map[string]any)["items"])
		for _, f := range fields {
			want, wrong := expectedJSON(doc, f)
			if strings.HasPrefix(f.Name, "who.") {
				_, isObject := doc.(map[string]any)["who"].(map[string]any)
				wrong = wrong && (isObject || doc.(map[string]any)["who"] != nil) || f.Name == "who.name" && isObject && want.IsNull()
			}
			anyBad = anyBad || wrong
			if err == nil && !wrong && !sameValue(ev.Row[r.Index(f.Name)], want) {
				t.Fatalf("%s is %s, want %s\n%s", f.Name, ev.Row[r.Index(f.Name)], want, text)
			}
		}
		if anyBad != (err != nil) {
			t.Fatalf("bad: %v, but %v\n%s", anyBad, err, text)
		}
		if good++; err != nil {
			good--
			bad++
		}
	}
	if good < 1000 || bad < 1000 {
		t.Errorf("%d good documents, %d bad ones: the test proves little", good, bad)
	}
}

// soundItems says whether the array of orderAvro has the right types.
func soundItems(v any) bool {
	if v == nil {
		return true
	}
	list, ok := v.([]any)
	for _, item := range list {
		object, isObject := item.(map[string]any)
		_, sku := object["sku"].(string)
		_, bad := expectedJSON(item, Field{Name: "qty", Type: Type{Kind: KindInt, Avro: "long", Nullable: true}})
		ok = ok && isObject && sku && !bad
	}
	return ok
}

// Invariant 8: text is taken only if encoding/json takes it too, and only more is refused: what it makes up for.
func TestCorruptedJSON(t *testing.T) {
	r := mustReader(t, orderSource(""))
	var ev Event
	seen := map[string]int{}
	for seed := range uint64(8_000) {
		g := newGenerator(seed)
		text := g.corrupt((&jsonMaker{rng: g.rng}).order())
		err := r.Decode(text, &ev)
		reason := reasonOf(t, err)
		seen[reason]++
		valid := json.Valid(text)
		switch reason {
		case ReasonBadJSON, ReasonTrailingBytes:
			var doc any
			if valid && json.Unmarshal(text, &doc) == nil {
				if _, ok := doc.(map[string]any); ok {
					t.Fatalf("refused: %v\n%q", err, text)
				}
			}
		case ReasonBadUTF8, ReasonTooDeep: // encoding/json replaces the one, and takes 10,000 levels
		default:
			if !valid {
				t.Fatalf("taken (%v), and no JSON\n%q", err, text)
			}
		}
	}
	t.Log(seen)
	for _, reason := range []string{"", ReasonBadJSON, ReasonTrailingBytes, ReasonBadUTF8, ReasonBadType} {
		if seen[reason] == 0 {
			t.Errorf("corruption never led to %q: the test proves little", reason)
		}
	}
}

// Times are what package time reads, at any date and zone.
func TestJSONTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		at := time.UnixMicro(MinTime*1000 + 86_400_000_000 + rng.Int64N((MaxTime-MinTime)*1000-2*86_400_000_000)).In(time.FixedZone("", (rng.IntN(48*60)-24*60)*60/2))
		text := at.Format([]string{time.RFC3339Nano, time.RFC3339, "2006-01-02T15:04:05.000000000Z07:00"}[rng.IntN(3)])
		want, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		for units, logical := range map[int64]string{1000: "timestamp-millis", 1_000_000: "timestamp-micros"} {
			got, ok := jsonTime([]byte(text), logical, units, false)
			if expected := floorDiv(want.UnixMicro(), 1_000_000/units); !ok || got != expected {
				t.Fatalf("%s: %d %v, want %d", text, got, ok, expected)
			}
		}
		bad := []byte(text)
		bad[rng.IntN(len(bad))] = "0123456789-+:.TZ /a"[rng.IntN(19)]
		_, ok := jsonTime(bad, "timestamp-millis", 1000, false)
		if _, err := time.Parse(time.RFC3339Nano, string(bad)); ok && err != nil && !strings.Contains(err.Error(), "range") {
			t.Fatalf("%s is taken: %v", bad, err)
		}
	}
}

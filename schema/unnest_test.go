package schema

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// goavroField walks goavro's native value of a generated record by path; goavro wraps the values of unions.
func goavroArray(native any, path string) ([]any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		record, ok := unwrap(native).(map[string]any)
		if !ok {
			return nil, true
		}
		native = record[name]
	}
	list, ok := unwrap(native).([]any)
	return list, ok || unwrap(native) == nil
}

// arrays are the paths of a schema's arrays that can be unnested: those of the record and of records in it.
func arrays(n *node, prefix string, depth int) (out []string) {
	for _, f := range n.fields {
		path, inner := join(prefix, f.name), f.node.plain()
		switch {
		case inner.avro == "array":
			out = append(out, path)
		case inner.avro == "record" && depth < 3:
			out = append(out, arrays(inner, path, depth+1)...)
		}
	}
	return out
}

// Invariant 11: elements are what goavro says they are, one by one, and the parent's fields stay beside them.
func TestUnnestAgreesWithGoavro(t *testing.T) {
	compared, unnested := 0, 0
	for seed := range uint64(1500) {
		s := newSample(t, seed)
		for _, path := range arrays(s.schema.root, "", 0) {
			shape, err := s.schema.Unnested(path)
			if err != nil {
				t.Fatal(err)
			}
			unnested++
			var paths []string
			for _, f := range shape.Paths() {
				paths = append(paths, f.Name)
			}
			p, err := shape.Project(paths)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			ev := Event{Row: make([]Value, len(paths))}
			for range 6 {
				native, payload := s.value(t)
				if err := p.decode(payload, ev.Row, &ev.elements); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				list, ok := goavroArray(native, path)
				if !ok || ev.elements.count != len(list) {
					t.Fatalf("seed %d, %s: %d elements, want %d", seed, path, ev.elements.count, len(list))
				}
				for i := range list {
					ev.Load(i)
					for col, field := range paths {
						var want Value
						if inner, of := shape.ofElement(field); of {
							want = expectedElement(list[i], inner)
						} else {
							want = expectedValue(native, field)
						}
						if !sameValue(ev.Row[col], want) {
							t.Fatalf("seed %d: element %d, %s is %s, want %s\n%s", seed, i, field, ev.Row[col], want, s.text)
						}
						compared++
					}
				}
			}
		}
	}
	if compared < 5000 || unnested < 200 {
		t.Errorf("%d values of %d arrays were compared: the generator makes too little", compared, unnested)
	}
}

func expectedElement(item any, inner string) Value {
	if inner == "" {
		return expectedValue(map[string]any{"item": item}, "item")
	}
	return expectedValue(item, inner)
}

const basketSchema = `{"type": "record", "name": "basket", "fields": [
	{"name": "id", "type": "string"},
	{"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "codes", "type": {"type": "array", "items": "long"}},
	{"name": "in", "type": ["null", {"type": "record", "name": "in", "fields": [
		{"name": "items", "type": ["null", {"type": "array", "items": ["null", {"type": "record", "name": "item", "fields": [
			{"name": "sku", "type": "string"},
			{"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}]},
			{"name": "codes", "type": {"type": "array", "items": "long"}}]}]}]}]}]}]}`

func basketSource(unnest string) Source {
	return Source{Format: FormatAvroRaw, Schema: []byte(basketSchema), Event: EventDef{ID: []string{"id"}, Time: "at"}, Unnest: unnest}
}

func basket(t testing.TB, line string) []byte {
	t.Helper()
	out, err := basketSource("").FromJSON(nil, []byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnnestShapes(t *testing.T) {
	for unnest, want := range map[string]string{
		"codes":    "id string, at long (timestamp-millis), codes long",
		"in.items": "id string, at long (timestamp-millis), in.items.sku nullable string, in.items.price nullable bytes (decimal)",
	} {
		shape, err := basketSource(unnest).Shape()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range shape.Paths() {
			out = append(out, f.Name+" "+f.Type.String())
			if looked, err := shape.Lookup(f.Name); err != nil || fmt.Sprint(looked) != fmt.Sprint(f.Type) {
				t.Errorf("%s: %v, %v", f.Name, looked, err)
			}
		}
		if got := strings.Join(out, ", "); got != want {
			t.Errorf("%s: %s", unnest, got)
		}
	}
	price, err := mustParse(t, basketSchema).Unnested("in.items")
	if err != nil {
		t.Fatal(err)
	}
	if typ, err := price.Lookup("in.items.price"); err != nil || !typ.Decimal() || typ.Precision != 9 || typ.Scale != 2 {
		t.Error(typ, err)
	}
	for unnest, want := range map[string]string{"id": "name an array", "ids": `did you mean "id"`, "in": "name an array", "id.x": "only a record", "in.items.codes": "only a record", "in.x": "no field"} {
		if _, err := basketSource(unnest).Shape(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", unnest, err)
		}
	}
	s := basketSource("in.items")
	s.Event = EventDef{ID: []string{"in.items.sku"}, Time: "at"}
	if _, err := NewReader(s, []string{"codes", "in.items", "in.items.codes"}); err == nil ||
		strings.Count(err.Error(), "\n") != 3 || !strings.Contains(err.Error(), "must be fields of the record") {
		t.Error(err)
	}
}

// Invariants 1, 6 and 11: loading allocates nothing, the identity covers every element whichever is loaded, and copies
// have one.
func TestUnnestedEvents(t *testing.T) {
	r := mustReader(t, basketSource("in.items"), "in.items.sku", "in.items.price")
	const head = `{"id": "a", "at": 5, "codes": [1], "in": {"items": `
	full := basket(t, head+`[{"sku": "x", "price": "1.50", "codes": [1]}, null, {"sku": "y", "price": null, "codes": []}]}}`)
	var ev, other Event
	if err := r.Decode(full, &ev); err != nil || ev.Elements != 3 {
		t.Fatal(err, ev.Elements)
	}
	identity := r.Identity(&ev)
	var out []string
	for i := range ev.Elements {
		ev.Load(i)
		out = append(out, fmt.Sprint(ev.Row))
		if r.Identity(&ev) != identity {
			t.Error("the identity depends on what is loaded")
		}
	}
	if got := strings.Join(out, " "); got != "[5 a 0x0096 x] [5 a null null] [5 a null y]" {
		t.Error(got)
	}
	for _, items := range []string{`[]`, `null`, `[null]`, `[{"sku": "x", "price": "1.50", "codes": [1]}]`,
		`[{"sku": "x", "price": "1.50", "codes": [1]}, {"sku": "y", "price": null, "codes": []}, null]`} {
		if err := r.Decode(basket(t, head+items+`}}`), &other); err != nil || r.Identity(&other) == identity {
			t.Errorf("%s: %v, or the same identity", items, err)
		}
	}
	if err := r.Decode(basket(t, `{"id": "a", "at": 5, "codes": [], "in": null}`), &other); err != nil || other.Elements != 0 {
		t.Error(err, other.Elements)
	}
	step := func() {
		if err := r.Decode(full, &ev); err != nil {
			t.Fatal(err)
		}
		for i := range ev.Elements {
			ev.Load(i)
		}
		identity = r.Identity(&ev)
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
}

// Too many elements are an error of this reader; the record keeps its place.
func TestTooManyElements(t *testing.T) {
	codes := func(n int) []byte {
		return basket(t, `{"id": "a", "at": 5, "in": null, "codes": [`+strings.TrimSuffix(strings.Repeat("1,", n), ",")+`]}`)
	}
	r, plain := mustReader(t, basketSource("codes"), "codes"), mustReader(t, basketSource(""))
	var ev Event
	if err := r.Decode(codes(MaxElements), &ev); err != nil || ev.Elements != MaxElements {
		t.Error(err)
	}
	err := r.Decode(codes(MaxElements+1), &ev)
	if reasonOf(t, err) != ReasonTooManyElements || !Landable(err) || ev.Time != 5 {
		t.Error(err)
	}
	if err := plain.Decode(codes(MaxElements+1), &ev); err != nil || ev.Elements != 1 {
		t.Error(err)
	}
}

// Decimals of one number have one form, whatever the writer's padding: bytes or fixed.
func TestDecimalsAreCanonical(t *testing.T) {
	for _, typ := range []string{`{"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 3}`, `{"type": "fixed", "name": "f", "size": 13, "logicalType": "decimal", "precision": 30, "scale": 3}`} {
		s := mustParse(t, recordOf(typ))
		p := mustProject(t, s, "x")
		row := make([]Value, 1)
		for _, text := range []string{"0.000", "0.001", "-0.001", "0.127", "0.128", "-0.128", "-0.129", "32.767", "32.768", "-32.768", "123456789012345678901234567.890", "-123456789012345678901234567.890"} {
			payload, err := s.AppendJSON(nil, []byte(`{"x": `+text+`}`))
			if err != nil {
				t.Fatal(err)
			}
			unscaled, _ := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
			if err := p.Decode(payload, row); err != nil || string(row[0].Bytes) != string(twosComplement(unscaled)) {
				t.Errorf("%s: %s, want %x (%v)", text, row[0], twosComplement(unscaled), err)
			}
			if shown, err := s.ToJSON(payload); err != nil || string(shown) != `{"x":"`+text+`"}` {
				t.Errorf("%s is shown as %s, %v", text, shown, err)
			}
		}
	}
	p := mustProject(t, mustParse(t, recordOf(`["null", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}]`)), "x")
	row := make([]Value, 1)
	for padded, want := range map[string]string{"\x02\x00": "0x00", "\x02\x06\x00\x00\x05": "0x05", "\x02\x06\xff\xff\x80": "0x80", "\x02\x06\xff\xff\x7f": "0xff7f", "\x02\x04\x00\x80": "0x0080", "\x00": "null"} {
		if err := p.Decode([]byte(padded), row); err != nil || row[0].String() != want {
			t.Errorf("%x: %s %v, want %s", padded, row[0], err, want)
		}
	}
}

// One Event serves readers of all formats, one after the other.
func TestOneEventForAllReaders(t *testing.T) {
	json, avro, shop := mustReader(t, orderSource("items"), "items.sku"), mustReader(t, basketSource("")), mustReader(t, shopSource(t, "codes"), "codes")
	var ev Event
	for range 2 {
		if err := json.Decode([]byte(`{"id": "a", "at": 5, "n": 1, "items": [{"sku": "a"}, {"sku": "b"}]}`), &ev); err != nil || ev.Elements != 2 {
			t.Error(err, ev.Elements)
		}
		if err := avro.Decode(basket(t, `{"id": "a", "at": 6, "codes": [1], "in": null}`), &ev); err != nil || ev.Elements != 1 || ev.Time != 6 {
			t.Error(err, ev.Elements)
		}
		ev.Load(0)
		if got := fmt.Sprint(ev.Row); got != "[6 a]" {
			t.Error(got)
		}
		if err := shop.Decode([]byte("\x0a\x01a\x12\x02\x08\x05\x52\x03\x02\x04\x06"), &ev); err != nil || ev.Elements != 3 {
			t.Error(err, ev.Elements)
		}
		ev.Load(2)
		if got := fmt.Sprint(ev.Row); got != "[5000000 3 a]" {
			t.Error(got)
		}
	}
}

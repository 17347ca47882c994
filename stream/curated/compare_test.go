package curated

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// TestDecodeRefuses: every proper prefix, trailing bytes, and a value that is not its key's (invariant 2).
func TestDecodeRefuses(t *testing.T) {
	ex := examples(t)["every"]
	key, value := encode(ex)
	var r Row
	for n := range key {
		if err := ex.codec.Decode(key[:n], value, &r); err == nil {
			t.Errorf("a key of %d bytes of %d decodes", n, len(key))
		}
	}
	for n := range value {
		if err := ex.codec.Decode(key, value[:n], &r); err == nil {
			t.Errorf("a value of %d bytes of %d decodes", n, len(value))
		}
	}
	other := bytes.Clone(value)
	other[0] ^= 1 // the first group field, a boolean
	for name, rec := range map[string][2][]byte{
		"bytes behind the key":   {append(bytes.Clone(key), 0), value},
		"bytes behind the value": {key, append(bytes.Clone(value), 0)},
		"a value of another key": {key, other},
		"no value":               {key, nil},
		"a boolean of 2":         {append([]byte{2}, key[1:]...), append([]byte{2}, value[1:]...)},
		"a long zero":            {append([]byte{1, 0x80, 0}, key[2:]...), append([]byte{1, 0x80, 0}, value[2:]...)},
		"a huge length":          {append([]byte{1, 0, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f}, key[3:]...), value},
		"bad UTF-8":              {bytes.Replace(key, []byte("UP"), []byte("U\xff"), 1), bytes.Replace(value, []byte("UP"), []byte("U\xff"), 1)},
	} {
		if err := ex.codec.Decode(rec[0], rec[1], &r); err == nil {
			t.Errorf("%s: decodes", name)
		} else if !strings.HasPrefix(err.Error(), "decode curated ") {
			t.Errorf("%s: the error does not say what was attempted: %v", name, err)
		}
	}
}

// TestRowHash: key and aggregates decide, all else does not (invariant 3).
func TestRowHash(t *testing.T) {
	ex := examples(t)["closed"]
	c, base := ex.codec, ex.row
	change := func(fn func(*Row)) *Row {
		r := base
		r.Values = append([]schema.Value{}, base.Values...)
		fn(&r)
		return &r
	}
	for name, r := range map[string]*Row{
		"revision": change(func(r *Row) { r.Revision++ }), "status": change(func(r *Row) { r.Status = Reconciled }),
		"cause": change(func(r *Row) { r.Cause = CauseLate }), "late": change(func(r *Row) { r.Late++; r.Events++; r.Duplicates++ }),
		"run": change(func(r *Row) { r.Run = "x"; r.PublishedAt++ }),
	} {
		if c.RowHash(r) != c.RowHash(&base) || !c.Same(r, &base) {
			t.Errorf("%s decides the hash", name)
		}
	}
	for name, r := range map[string]*Row{
		"key": change(func(r *Row) { r.Key = key(c, text("LGA")) }), "start": change(func(r *Row) { r.Start++ }), "end": change(func(r *Row) { r.End++ }),
		"count": change(func(r *Row) { r.Values[0] = schema.IntValue(19) }), "null": change(func(r *Row) { r.Values[2] = schema.NullValue() }),
		"a last bit": change(func(r *Row) { r.Values[2].Num++ }), "zero's sign": change(func(r *Row) { r.Values[3] = schema.FloatValue(math.Copysign(0, -1)) }),
	} {
		if c.RowHash(r) == c.RowHash(&base) || c.Same(r, &base) {
			t.Errorf("%s does not decide the hash", name)
		}
	}
	gone := change(func(r *Row) { r.Status = Retracted })
	if c.Same(gone, &base) || c.Same(&base, gone) {
		t.Error("a retracted row is the same as one that is not")
	}
	empty := change(func(r *Row) { r.Values = []schema.Value{schema.IntValue(0), schema.IntValue(0), {}, {}, {}} })
	if c.Same(gone, empty) {
		t.Error("a retracted row is the same as one whose aggregates are all 0 or null")
	}
	if !c.Same(gone, change(func(r *Row) { r.Status = Retracted; r.Values = nil; r.Revision = 9 })) {
		t.Error("two retracted rows of one key differ")
	}
}

// TestDecodeReusesRow: a row is decoded over another without leftovers, and without allocation when nothing is new.
func TestDecodeReusesRow(t *testing.T) {
	all := examples(t)
	var r Row
	for _, name := range []string{"reconciled", "closed", "retracted"} {
		k, v := encode(all[name])
		if err := all[name].codec.Decode(k, v, &r); err != nil {
			t.Fatal(err)
		}
		if r.Run != all[name].row.Run || len(r.Values) != 5 || len(r.Group) != 1 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	k, v := encode(all["closed"])
	c := all["closed"].codec
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Decode(k, v, &r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	buf, group := make([]byte, 0, 512), []schema.Value{text("JFK")}
	if n := testing.AllocsPerRun(100, func() {
		buf = c.AppendValue(c.AppendKey(c.AppendGroupKey(buf[:0], group), &r), &r)
	}); n != 0 {
		t.Errorf("appending: %v allocations", n)
	}
}

package curated

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidemark-io/tidemark/schema"
)

// Limits of composite values, so that no bytes make Decode work or remember out of proportion.
const (
	rawDepthMax = 32
	rawItemsMax = 1 << 20 // items of one block that take no bytes
)

// rawType is the type of a composite aggregate, as far as finding its end in a row needs it. The values themselves pass
// through as finished Avro.
type rawType struct {
	avro     string
	size     int64 // of a fixed; of an enum the number of symbols
	items    *rawType
	parts    []*rawType // fields of a record, branches of a union
	complete bool       // a named type whose parts are known: before, it would contain itself for ever
}

// parseRaw reads the Avro schema of a composite aggregate into raw, wrapped and typ. Its named types get the aggregate's name behind theirs, or two
// aggregates of one function would define one name twice.
func (a *aggregate) parseRaw() error {
	var tree any
	if err := json.Unmarshal([]byte(a.typ.Raw), &tree); err != nil {
		return fmt.Errorf("its schema is no JSON: %w", err)
	}
	r := rawParser{suffix: "_" + a.name, named: make(map[string]*rawType)}
	t, tree, err := r.parse(tree, 0)
	if err != nil {
		return err
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("write its schema: %w", err)
	}
	a.wrapped, err = schema.Parse([]byte(`{"type":"record","name":"v","fields":[{"name":"v","type":` + string(out) + `}]}`))
	if err != nil {
		return fmt.Errorf("its schema can't be used: %w", err)
	}
	a.raw, a.typ.Raw, a.typ.Nullable = t, string(out), true // a retracted row has no value of it
	return nil
}

type rawParser struct {
	suffix string
	named  map[string]*rawType // by the name in the text
}

func (r *rawParser) parse(tree any, depth int) (*rawType, any, error) {
	if depth > rawDepthMax {
		return nil, nil, fmt.Errorf("its schema is more than %d deep", rawDepthMax)
	}
	switch tree := tree.(type) {
	case string:
		switch tree {
		case "null", "boolean", "int", "long", "float", "double", "string", "bytes":
			return &rawType{avro: tree}, tree, nil
		}
		if t, ok := r.named[tree]; ok {
			if !t.complete {
				return nil, nil, fmt.Errorf("type %q contains itself", tree)
			}
			return t, tree + r.suffix, nil
		}
		return nil, nil, fmt.Errorf("its schema names the unknown type %q", tree)
	case []any:
		t := &rawType{avro: "union"}
		for i := range tree {
			branch, changed, err := r.parse(tree[i], depth+1)
			if err != nil {
				return nil, nil, err
			}
			t.parts, tree[i] = append(t.parts, branch), changed
		}
		return t, tree, nil
	case map[string]any:
		return r.object(tree, depth)
	}
	return nil, nil, errors.New("its schema is no Avro schema")
}

func (r *rawParser) object(tree map[string]any, depth int) (*rawType, any, error) {
	avro, ok := tree["type"].(string)
	if !ok {
		return nil, nil, errors.New("a type in its schema has no name of a type")
	}
	t := &rawType{avro: avro}
	inner := map[string]string{"array": "items", "map": "values"}[avro]
	switch avro {
	case "array", "map":
		items, changed, err := r.parse(tree[inner], depth+1)
		t.items, tree[inner] = items, changed
		return t, tree, err
	case "record", "enum", "fixed":
		name, _ := tree["name"].(string)
		if name == "" || strings.Contains(name, ".") || tree["namespace"] != nil || r.named[name] != nil {
			return nil, nil, fmt.Errorf("the type %q in its schema needs a plain name of its own, without a namespace", name)
		}
		r.named[name], tree["name"] = t, name+r.suffix
		defer func() { t.complete = true }()
		return t, tree, r.define(t, tree, depth)
	}
	_, _, err := r.parse(avro, depth+1)
	return t, tree, err
}

// define reads what a named type consists of.
func (r *rawParser) define(t *rawType, tree map[string]any, depth int) error {
	switch t.avro {
	case "fixed":
		size, _ := tree["size"].(float64)
		t.size = int64(size)
	case "enum":
		symbols, _ := tree["symbols"].([]any)
		t.size = int64(len(symbols))
	case "record":
		fields, _ := tree["fields"].([]any)
		for _, f := range fields {
			field, ok := f.(map[string]any)
			if !ok {
				return errors.New("a field in its schema is no object")
			}
			part, changed, err := r.parse(field["type"], depth+1)
			if err != nil {
				return err
			}
			t.parts, field["type"] = append(t.parts, part), changed
		}
	}
	return nil
}

// raw is the bytes of a composite value.
func (d *decoder) raw(field string, t *rawType) schema.Value {
	from := d.Rest()
	d.skip(field, t, 0)
	if d.Err() != nil {
		return schema.NullValue()
	}
	n := len(from) - len(d.Rest())
	return schema.BytesValue(from[:n:n])
}

// skip walks over one value.
func (d *decoder) skip(field string, t *rawType, depth int) {
	if d.Err() != nil {
		return
	}
	switch t.avro {
	case "boolean":
		if b := d.Bytes(field, 1); d.Err() == nil && b[0] > 1 {
			d.Fail(field, fmt.Errorf("%d is no boolean", b[0]))
		}
	case "int", "long":
		d.Long(field)
	case "float":
		d.Bytes(field, 4)
	case "double":
		d.Bytes(field, 8)
	case "bytes":
		d.Bytes(field, d.Long(field))
	case "string":
		if b := d.Bytes(field, d.Long(field)); !utf8.Valid(b) {
			d.Fail(field, errors.New("a string is not valid UTF-8"))
		}
	case "fixed":
		d.Bytes(field, t.size)
	case "enum":
		d.symbol(field, t.size)
	case "record":
		for _, part := range t.parts {
			d.skip(field, part, depth+1)
		}
	case "union":
		if i := d.symbol(field, int64(len(t.parts))); d.Err() == nil {
			d.skip(field, t.parts[i], depth+1)
		}
	case "array", "map":
		d.skipBlocks(field, t, depth)
	}
}

// skipBlocks walks over the blocks of an array or map: each a count and so many items, the last with the count 0. A
// negative count, as other writers may have it, is followed by the block's length in bytes.
func (d *decoder) skipBlocks(field string, t *rawType, depth int) {
	for d.Err() == nil {
		n := d.Long(field)
		if n == 0 {
			return
		}
		if n < 0 {
			n = -n
			d.Long(field)
		}
		if n < 0 || n > max(int64(len(d.Rest())), rawItemsMax) {
			d.Fail(field, fmt.Errorf("%d items, but %d bytes are left", n, len(d.Rest())))
		}
		for ; n > 0 && d.Err() == nil; n-- {
			if t.avro == "map" {
				d.Text(field)
			}
			d.skip(field, t.items, depth+1)
		}
	}
}

package schema

import (
	"fmt"
	"strings"

	"github.com/twmb/avro"
)

// node is one type of a parsed schema. References to a named type share its
// node, so a recursive type is a cycle.
type node struct {
	avro             string // as in Type.Avro
	name             string // full name of a record, enum or fixed
	logical          string // only where the Avro type allows it
	precision, scale int    // of a decimal
	fields           []fieldNode
	items            *node   // of an array or a map's values
	branches         []*node // of a union
	symbols          []string
	size             int // of a fixed
}

type fieldNode struct {
	name       string
	node       *node
	hasDefault bool
	def        any // exact, as avro.SchemaField.Default
}

// builder turns the validated tree into nodes, resolving references.
type builder struct {
	named map[string]*node
}

// build makes the node of n. ns is the namespace that references in n start from.
func (b *builder) build(n *avro.SchemaNode, ns string) (*node, error) {
	switch n.Type {
	case "null", "boolean", "int", "long", "float", "double", "string", "bytes":
		return newLeaf(n.Type, n), nil
	case "record", "error":
		return b.record(n)
	case "enum", "fixed":
		out := newLeaf(n.Type, n)
		out.name, _ = fullName(n)
		out.symbols, out.size = n.Symbols, n.Size
		b.named[out.name] = out
		return out, nil
	case "array", "map":
		inner := n.Items
		if n.Type == "map" {
			inner = n.Values
		}
		if inner == nil {
			return nil, fmt.Errorf("%s without the type of its items", n.Type)
		}
		items, err := b.build(inner, ns)
		return &node{avro: n.Type, items: items}, err
	case "union":
		out := &node{avro: "union"}
		for i := range n.Branches {
			branch, err := b.build(&n.Branches[i], ns)
			if err != nil {
				return nil, err
			}
			out.branches = append(out.branches, branch)
		}
		return out, nil
	}
	return b.reference(n.Type, ns)
}

func (b *builder) record(n *avro.SchemaNode) (*node, error) {
	name, ns := fullName(n)
	out := &node{avro: "record", name: name}
	b.named[name] = out // before the fields: they may refer to it
	for i := range n.Fields {
		f := &n.Fields[i]
		typ, err := b.build(&f.Type, ns)
		if err != nil {
			return nil, fmt.Errorf("field %q of %s: %w", f.Name, name, err)
		}
		out.fields = append(out.fields, fieldNode{
			name: f.Name, node: liftLogical(typ, f), hasDefault: f.HasDefault, def: f.Default,
		})
	}
	return out, nil
}

// reference resolves a name as Avro does: a dotted name is full; another is
// looked for in the enclosing namespace, then without one.
func (b *builder) reference(name, ns string) (*node, error) {
	if ns != "" && !strings.Contains(name, ".") {
		if out, ok := b.named[ns+"."+name]; ok {
			return out, nil
		}
	}
	if out, ok := b.named[name]; ok {
		return out, nil
	}
	return nil, fmt.Errorf("unknown type %q", name)
}

func fullName(n *avro.SchemaNode) (full, namespace string) {
	if i := strings.LastIndexByte(n.Name, '.'); i >= 0 {
		return n.Name, n.Name[:i]
	}
	if n.Namespace == "" {
		return n.Name, ""
	}
	return n.Namespace + "." + n.Name, n.Namespace
}

func newLeaf(avroType string, n *avro.SchemaNode) *node {
	out := &node{avro: avroType}
	if logicalFits(avroType, n.LogicalType, n.Size) {
		out.logical = n.LogicalType
	}
	if out.logical == "decimal" {
		out.precision, out.scale = n.Precision, n.Scale
	}
	return out
}

// liftLogical reads {"name": "ts", "type": "long", "logicalType": "timestamp-millis"}
// as it was meant. The specification wants the logicalType inside the type;
// this slip is frequent in the wild, and goavro takes it as meant too.
func liftLogical(n *node, f *avro.SchemaField) *node {
	logical, ok := f.Props["logicalType"].(string)
	if !ok || n.logical != "" || n.name != "" || logical == "decimal" || !logicalFits(n.avro, logical, 0) {
		return n
	}
	return &node{avro: n.avro, logical: logical}
}

// logicalFits reports whether the specification allows the logical type on the
// Avro type. One that doesn't fit is ignored, as the specification asks.
func logicalFits(avroType, logical string, size int) bool {
	switch logical {
	case "date", "time-millis":
		return avroType == "int"
	case "time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos",
		"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos":
		return avroType == "long"
	case "uuid":
		return avroType == "string" || avroType == "fixed" && size == 16
	case "decimal":
		return avroType == "bytes" || avroType == "fixed"
	case "duration":
		return avroType == "fixed" && size == 12
	}
	return false
}

// optional gives T of the unions [null, T] and [T, null], and the index of null.
func (n *node) optional() (inner *node, nullIndex int, ok bool) {
	if n.avro != "union" || len(n.branches) != 2 {
		return nil, 0, false
	}
	for i, branch := range n.branches {
		if branch.avro == "null" {
			return n.branches[1-i], i, n.branches[1-i].avro != "null"
		}
	}
	return nil, 0, false
}

// typ is the node as a Type.
func (n *node) typ() Type {
	if inner, _, ok := n.optional(); ok {
		t := inner.typ()
		t.Nullable = true
		return t
	}
	t := Type{Avro: n.avro, Logical: n.logical, Symbols: n.symbols, Size: n.size, Precision: n.precision, Scale: n.scale}
	switch n.avro {
	case "boolean":
		t.Kind = KindBool
	case "int", "long":
		t.Kind = KindInt
	case "float", "double":
		t.Kind = KindFloat
	case "string", "enum":
		t.Kind = KindString
	case "bytes", "fixed":
		t.Kind = KindBytes
	}
	return t
}

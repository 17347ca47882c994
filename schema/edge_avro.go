package schema

import (
	"encoding/json"
	"fmt"

	"github.com/linkedin/goavro/v2"
)

// JSON at the edges goes through goavro's binary codec: what people type and
// read is encoded by other code than the engine's own decoder, which then has
// to agree with it. The codec gets a plain copy of the schema: made-up names (so
// that its names and namespaces cannot differ from ours), no logical types (it
// would turn exact numbers into time.Time and big.Rat), no defaults (it reads
// them as float64); all of that is done here.

// edgeCodec builds the goavro codec of a schema.
func edgeCodec(root *node) (*goavro.Codec, error) {
	text, err := json.Marshal(edgeNames{}.schema(root))
	if err != nil {
		return nil, fmt.Errorf("prepare schema for JSON: %w", err)
	}
	codec, err := goavro.NewCodec(string(text))
	if err != nil {
		return nil, fmt.Errorf("prepare schema for JSON: %w", err)
	}
	return codec, nil
}

// edgeNames are the names that were given so far.
type edgeNames map[*node]string

func (names edgeNames) schema(n *node) any {
	switch n.avro {
	case "array":
		return map[string]any{"type": "array", "items": names.schema(n.items)}
	case "map":
		return map[string]any{"type": "map", "values": names.schema(n.items)}
	case "union":
		branches := make([]any, len(n.branches))
		for i, b := range n.branches {
			branches[i] = names.schema(b)
		}
		return branches
	case "record", "enum", "fixed":
		if name, ok := names[n]; ok {
			return name
		}
	default:
		return n.avro
	}
	name := edgeName(n)
	names[n] = name
	out := map[string]any{"type": n.avro, "name": name}
	switch n.avro {
	case "enum":
		out["symbols"] = n.symbols
	case "fixed":
		out["size"] = n.size
	case "record":
		fields := make([]any, len(n.fields))
		for i, f := range n.fields {
			fields[i] = map[string]any{"name": f.name, "type": names.schema(f.node)}
		}
		out["fields"] = fields
	}
	return out
}

// edgeName is a name without a namespace, one to one with the full name: a
// dotted name's parts have letters, digits and underscores only.
func edgeName(n *node) string {
	out := []byte("N_")
	for _, c := range []byte(n.name) {
		switch c {
		case '_':
			out = append(out, "_u"...)
		case '.':
			out = append(out, "_d"...)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// branchKey is what goavro calls a union's branch.
func branchKey(n *node) string {
	if n.name != "" {
		return edgeName(n)
	}
	return n.avro
}

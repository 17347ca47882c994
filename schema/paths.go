package schema

// Paths are all fields that can be projected, with their types: the record's
// own and, by dotted path, those of records and nullable records in it, in the
// schema's order. It goes at most eight records deep, and a record inside
// itself not at all; those paths too can be projected (Lookup finds them).
func (s *Schema) Paths() []Field {
	var out []Field
	appendPaths(&out, s.root, "", false, nil)
	return out
}

const (
	pathDepthMax = 8
	pathsMax     = 10_000
)

func appendPaths(out *[]Field, n *node, prefix string, nullable bool, within []*node) {
	for _, outer := range within {
		if outer == n {
			return
		}
	}
	if len(within) == pathDepthMax {
		return
	}
	within = append(within, n)
	for i := range n.fields {
		f := &n.fields[i]
		path := join(prefix, f.name)
		inner, optional := f.node, false
		if opt, _, ok := inner.optional(); ok {
			inner, optional = opt, true
		}
		if inner.avro == "record" {
			appendPaths(out, inner, path, nullable || optional, within)
			continue
		}
		t := f.node.typ()
		t.Nullable = t.Nullable || nullable && t.Avro != "null"
		if t.Projectable() && len(*out) < pathsMax {
			*out = append(*out, Field{Name: path, Type: t})
		}
	}
}

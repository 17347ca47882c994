package schema

// Paths are all fields that can be projected, with their types: the record's
// own and, by dotted path, those of records and nullable records in it, in the
// schema's order; with Unnested also those of the array's element. It goes at most eight records deep, and a record inside
// itself not at all; those paths too can be projected (Lookup finds them).
func (s *Schema) Paths() []Field {
	var out []Field
	s.appendPaths(&out, s.root, "", false, nil)
	return out
}

const (
	pathDepthMax = 8
	pathsMax     = 10_000
)

func (s *Schema) appendPaths(out *[]Field, n *node, prefix string, nullable bool, within []*node) {
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
		outer, whole := nullable, f.node
		if s.unnest != "" && path == s.unnest {
			outer, whole = false, whole.plain().items
		}
		inner := whole.plain()
		if inner.avro == "record" {
			s.appendPaths(out, inner, path, outer || inner != whole, within)
			continue
		}
		t := whole.typ()
		t.Nullable = t.Nullable || outer && t.Avro != "null"
		if t.Projectable() && len(*out) < pathsMax {
			*out = append(*out, Field{Name: path, Type: t})
		}
	}
}

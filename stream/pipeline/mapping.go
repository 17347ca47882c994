package pipeline

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tidemark-io/tidemark/schema"
)

// loader turns a syntax tree into a Pipeline and notes where everything stood.
type loader struct {
	p      *Pipeline
	faults *faultSet
	env    func(string) (string, bool)
	asked  func(path string, keys, words []string) // told of the keys of each mapping and of the words of each choice; nil outside of tests
}

// mapping is one mapping of the file while its keys are taken, one by one. What is left at the end is unknown.
type mapping struct {
	l       *loader
	path    string
	entries []entry
	known   []string // keys that were asked for, in order
	free    bool     // keys are names of the user's own
}

type entry struct {
	key   string
	place position
	value ast.Node
	taken bool
}

// mapping opens a value that must be a mapping; nil goes with a fault.
func (l *loader) mapping(path string, n ast.Node) *mapping {
	return l.mappingAs(path, n, "write keys below it, as in the example of the README")
}

// mappingAs is mapping with what to write if the value is none.
func (l *loader) mappingAs(path string, n ast.Node, form string) *mapping {
	n = l.plain(path, n)
	if n == nil {
		return nil
	}
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		l.faults.addAt(placeOf(n), path, complain(form, "must be a mapping, not %s", describe(n)))
		return nil
	}
	m := &mapping{l: l, path: path}
	for _, v := range values {
		m.addEntry(v)
	}
	return m
}

func (m *mapping) addEntry(v *ast.MappingValueNode) {
	pos := placeOf(v.Key)
	key, ok := v.Key.(*ast.StringNode)
	if !ok {
		m.l.faults.addAt(pos, join(m.path, v.Key.String()), complain("write a word and a colon", "keys are plain words, not %s", describe(v.Key)))
		return
	}
	path := join(m.path, key.Value)
	for _, e := range m.entries {
		if e.key == key.Value {
			m.l.faults.list = append(m.l.faults.list, Fault{File: m.l.faults.file, Line: pos.line, Col: pos.col, Path: path,
				Msg: "the key is given twice", Hint: "keep one of them"})
			return
		}
	}
	m.entries = append(m.entries, entry{key: key.Value, place: pos, value: v.Value})
	m.l.p.places[path] = pos // of scalars, replaced by that of the value when it is read
	m.l.p.places[keyOf(path)] = pos
}

// take gives the value of a key, or nil if it isn't there or has a fault.
func (m *mapping) take(key string) (path string, value ast.Node) {
	m.known = append(m.known, key)
	path = join(m.path, key)
	for i := range m.entries {
		if e := &m.entries[i]; e.key == key {
			e.taken = true
			return path, m.l.plain(path, e.value)
		}
	}
	return path, nil
}

// section hands the mapping behind a key to fn, if there is one.
func (m *mapping) section(key string, fn func(*mapping)) {
	m.sectionAs(key, "write keys below it, as in the example of the README", fn)
}

// sectionAs is section with what to write if the value is no mapping.
func (m *mapping) sectionAs(key, form string, fn func(*mapping)) {
	path, n := m.take(key)
	if n == nil {
		return
	}
	if sub := m.l.mappingAs(path, n, form); sub != nil {
		fn(sub)
		sub.done()
	}
}

// later refuses keys that Tidemark does not have yet, saying what to do instead.
func (m *mapping) later(hint string, keys ...string) {
	for i := range m.entries {
		if e := &m.entries[i]; slices.Contains(keys, e.key) {
			e.taken = true
			m.l.faults.addAt(e.place, join(m.path, e.key), complain(hint, "not built yet"))
		}
	}
}

// refuse refuses keys of other engines that have no counterpart here, saying what to do instead.
func (m *mapping) refuse(hint string, keys ...string) {
	for i := range m.entries {
		if e := &m.entries[i]; slices.Contains(keys, e.key) {
			e.taken = true
			m.l.faults.addAt(e.place, join(m.path, e.key), complain(hint, "unknown key"))
		}
	}
}

// instead refuses keys by which other engines call what has another name here.
func (m *mapping) instead(key string, others ...string) {
	for i := range m.entries {
		if e := &m.entries[i]; slices.Contains(others, e.key) {
			e.taken = true
			m.l.faults.addAt(e.place, join(m.path, e.key), complain("it is called "+key+" here", "unknown key"))
			m.l.faults.silence(join(m.path, key)) // that it is missing has been said
		}
	}
}

// done reports the keys that nobody took.
func (m *mapping) done() {
	if m.l.asked != nil && !m.free {
		m.l.asked(m.path, m.known, nil)
	}
	for _, e := range m.entries {
		if e.taken {
			continue
		}
		hint := "known here: " + strings.Join(m.known, ", ")
		if s := schema.Suggest(e.key, m.known); s != "" {
			hint = "did you mean " + s + "?"
			if _, given := m.l.p.places[join(m.path, s)]; !given {
				m.l.faults.silence(join(m.path, s)) // that it is missing has been said
			}
		} else if home := homes[e.key]; home != "" {
			hint = "it belongs to " + home
		}
		m.l.faults.addAt(e.place, join(m.path, e.key), complain(hint, "unknown key"))
	}
}

// homes says where a key belongs that stands in the wrong section.
var homes = map[string]string{
	"brokers": "kafka", "tls": "kafka", "sasl": "kafka",
	"topic": "source", "format": "source", "schema": "source", "event_id": "source", "event_time": "source",
	"key": "source", "start": "source", "watermark": "source", "partitioner": "source", "unnest": "source",
	"json_schema": "source.schema", "descriptor": "source.schema", "message": "source.schema", "ids": "source.schema",
	"max_out_of_orderness": "source.watermark", "max_future": "source.watermark", "confirm": "source.watermark",
	"idle_after": "source.watermark", "close_when_idle": "source.watermark",
	"group_by": "an element of outputs", "window": "an element of outputs", "allowed_lateness": "an element of outputs",
	"late": "an element of outputs", "aggregate": "an element of outputs", "emit": "an element of outputs",
	"tumbling": "window", "hopping": "window", "session": "window", "timezone": "window", "on_update": "emit", "partitions": "topic", "replication": "topic",
	"gap": "window.session", "within": "window.session", "every": "window.hopping, lake.roll or commit",
	"interval": "join", "between": "join.interval", "left": "join.interval", "right": "join.interval", "on": "join.interval or enrich", "with": "enrich",
	"when": "an element of rules", "then": "an element of rules", "expect": "an element of rules", "else": "an element of rules or reconcile.guard",
	"bucket": "lake", "roll": "lake", "settle": "reconcile", "guard": "reconcile", "lookback": "reconcile",
	"dir": "state", "memory_max": "state", "open_max": "state", "checkpoint_every": "state", "keep": "state",
}

// holdsMapping reports whether a key's value is a mapping.
func (m *mapping) holdsMapping(key string) bool {
	for _, e := range m.entries {
		switch e.value.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			if e.key == key {
				return true
			}
		}
	}
	return false
}

// holdsKey reports whether a value is a mapping with a key.
func holdsKey(n ast.Node, key string) bool {
	m, ok := n.(*ast.MappingNode)
	return ok && slices.ContainsFunc(m.Values, func(v *ast.MappingValueNode) bool {
		k, ok := v.Key.(*ast.StringNode)
		return ok && k.Value == key
	})
}

// plain refuses what YAML has beyond plain values: null, anchors, aliases, tags. It gives nil then, and for nil.
func (l *loader) plain(path string, n ast.Node) ast.Node {
	var c *complaint
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.NullNode:
		c = complain("give it a value, or leave the key out", "has no value")
	case *ast.AnchorNode, *ast.AliasNode:
		c = complain("write the value out", "anchors and aliases are not used here")
	case *ast.TagNode:
		c = complain("take the word with ! out", "tags are not used here")
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return n
	default:
		return n
	}
	l.faults.addAt(placeOf(n), path, c)
	return nil
}

// list reads a key's value that must be a list, and notes where its elements stand. form is what to write instead of
// another value, empty what to write where there is no element.
func (m *mapping) list(key, form, empty string, each func(at string, i int, n ast.Node)) {
	path, n := m.take(key)
	if n == nil {
		return
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		m.l.faults.add(path, complain(form, "must be a list, not %s", describe(n)))
		return
	}
	if len(list.Values) == 0 {
		m.l.faults.add(path, complain(empty, "the list is empty"))
	}
	for i, v := range list.Values {
		at := element(path, i)
		m.l.p.places[at] = placeOf(v)
		each(at, i, v)
	}
}

// describe names a node's type in a message.
func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "a boolean"
	case *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.MergeKeyNode:
		return "a merge of mappings"
	}
	return "this"
}

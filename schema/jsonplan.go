package schema

// jsonNode is what a JSON reader expects in one place: a type, and where its value goes.
type jsonNode struct {
	n        *node // the type without null
	nullable bool
	slot     int32 // in the row, or noSlot
	time     bool  // it is the event time
	path     string

	fields   []jsonField
	byName   map[string]int32 // of a record with many fields
	items    *jsonNode        // of an array, or a map's values
	element  bool             // of the unnested array: each of its items has a row of its own
	symbols  [][]byte         // of an enum
	required int              // how many fields may not be missing
}

type jsonField struct {
	name []byte
	node *jsonNode
}

// byNameMin is how many fields make a map quicker than looking at each.
const byNameMin = 12

// jsonCompiler makes the tree of one JSON reader. Types of which nothing is wanted are shared, so recursive types end.
type jsonCompiler struct {
	unwanted map[*node]*jsonNode
	time     string
}

// compile gives what is expected where the schema has n. w is what is wanted of it, or nil.
func (c *jsonCompiler) compile(n *node, w *want, path string) *jsonNode {
	if w == nil {
		if known, ok := c.unwanted[n]; ok {
			return known
		}
	}
	out := &jsonNode{n: n.plain(), slot: noSlot, path: path, time: path == c.time}
	out.nullable = out.n != n || n.avro == "null" || out.n.anyJSON()
	if w == nil {
		c.unwanted[n] = out
	} else {
		out.slot = w.slot
	}
	switch out.n.avro {
	case "record":
		c.record(out, w)
	case "array":
		if w != nil && w.element != nil {
			out.element = true
			out.items = c.compile(out.n.items, w.element, path)
			return out
		}
		out.items = c.compile(out.n.items, nil, join(path, "*"))
	case "map":
		out.items = c.compile(out.n.items, nil, join(path, "*"))
	case "enum":
		for _, symbol := range out.n.symbols {
			out.symbols = append(out.symbols, []byte(symbol))
		}
	}
	return out
}

func (c *jsonCompiler) record(out *jsonNode, w *want) {
	for _, f := range out.n.fields {
		var wanted *want
		if w != nil {
			wanted = w.fields[f.name]
		}
		inner := c.compile(f.node, wanted, join(out.path, f.name))
		if !inner.nullable && !inner.time { // a missing event time is null
			out.required++
		}
		out.fields = append(out.fields, jsonField{name: []byte(f.name), node: inner})
	}
	if len(out.fields) < byNameMin {
		return
	}
	out.byName = make(map[string]int32, len(out.fields))
	for i, f := range out.n.fields {
		out.byName[f.name] = int32(i)
	}
}

// anyJSON reports whether a value of n is only looked at as JSON: a union of several types, which nobody can read.
func (n *node) anyJSON() bool {
	if n.avro != "union" {
		return false
	}
	_, _, ok := n.optional()
	return !ok
}

// field finds the field of a key, trying the one at guess first: most writers keep an order. It is -1 if there is none.
func (j *jsonNode) field(key []byte, guess int) int {
	if guess < len(j.fields) && string(j.fields[guess].name) == string(key) {
		return guess
	}
	if j.byName != nil {
		if i, ok := j.byName[string(key)]; ok {
			return int(i)
		}
		return -1
	}
	for i := range j.fields {
		if string(j.fields[i].name) == string(key) {
			return i
		}
	}
	return -1
}

package schema

import "math"

// opcode is what one op reads. Those from opInt on begin with a varint.
type opcode uint8

const (
	opSkip         opcode = iota // n bytes whose content cannot be wrong (float, double, fixed, runs of them)
	opBool                       // one byte, 0 or 1
	opFloat                      // 4 bytes into the slot
	opDouble                     // 8 bytes into the slot
	opFixed                      // n bytes into the slot
	opArray                      // blocks of items of program sub
	opMap                        // blocks of string, item of program sub
	opElements                   // blocks of items of program sub, whose slots are those of an element
	opFixedDecimal               // n bytes into the slot, trimmed
	opCall                       // a value of program sub (a named record)
	opInt                        // varint within 32 bits
	opLong                       // varint
	opString                     // length, UTF-8
	opBytes                      // length, bytes
	opEnum                       // varint below n; symbols[sub]
	opDecimal                    // length, bytes; trimmed
	opOptional                   // union index 0 or 1; at index n the value is null and the next sub ops are skipped
	opUnion                      // union index below n; branches[sub]
)

// noSlot marks an op whose value is validated and not kept.
const noSlot = -1

// op is one step over the bytes of a datum.
type op struct {
	code opcode
	slot int32
	sub  int32
	n    int64
}

// program walks one type. Programs refer to each other by index, so recursive
// types are finite, and each named record is compiled once: a schema in which
// every record holds the next one twice stays small.
type program struct {
	ops   []op
	names []string // per op, where it is, for messages
	// size is how many bytes every value takes, or -1 if that varies. A value
	// of varying size takes at least one byte, which bounds the time of a walk.
	size int64
}

// inlineOps is how long a record may be to be copied into where it is used.
const inlineOps = 16

// want is a node of the tree of wanted fields.
type want struct {
	slot   int32
	fields map[string]*want
	// element is what is wanted of the array's elements, its slots being those of an element. Only the unnested
	// array has one.
	element *want
}

func newWant() *want { return &want{slot: noSlot, fields: map[string]*want{}} }

// compiler builds the programs of one Projection.
type compiler struct {
	programs []program
	index    map[*node]int32 // programs by node
	building map[*node]bool
	symbols  [][][]byte
	branches [][]int32
	preset   []int32 // slots below a nullable record: null unless the walk meets them
}

// emitter appends to one program.
type emitter struct {
	c       *compiler
	ops     []op
	names   []string
	barrier int // ops before it can't be merged with: a jump ends there
	nested  bool
	element bool // in an element, whose slots are null before the walk
}

func (e *emitter) emit(o op, name string) {
	e.ops = append(e.ops, o)
	e.names = append(e.names, name)
}

// skip emits n bytes to skip, joined to a skip just before.
func (e *emitter) skip(n int64, name string) {
	if n == 0 {
		return
	}
	if last := len(e.ops) - 1; last >= e.barrier && e.ops[last].code == opSkip {
		e.ops[last].n = saturate(e.ops[last].n, n)
		return
	}
	e.emit(op{code: opSkip, slot: noSlot, n: n}, name)
}

// saturate adds sizes; what is beyond MaxPayloadBytes is all the same.
func saturate(a, b int64) int64 {
	if a > MaxPayloadBytes || b > MaxPayloadBytes {
		return math.MaxInt32
	}
	return a + b
}

// value emits the steps over a value of n. w is what is wanted of it, or nil.
func (e *emitter) value(n *node, w *want, name string) {
	slot := int32(noSlot)
	if w != nil {
		slot = w.slot
	}
	if slot != noSlot && e.nested && !e.element {
		e.c.preset = append(e.c.preset, slot)
	}
	switch n.avro {
	case "null":
		if slot != noSlot && !e.nested && !e.element {
			e.c.preset = append(e.c.preset, slot)
		}
	case "boolean":
		e.emit(op{code: opBool, slot: slot}, name)
	case "int":
		e.emit(op{code: opInt, slot: slot}, name)
	case "long":
		e.emit(op{code: opLong, slot: slot}, name)
	case "float":
		e.sized(opFloat, slot, 4, name)
	case "double":
		e.sized(opDouble, slot, 8, name)
	case "fixed":
		if n.logical == "decimal" {
			e.sized(opFixedDecimal, slot, int64(n.size), name)
			return
		}
		e.sized(opFixed, slot, int64(n.size), name)
	case "string":
		e.emit(op{code: opString, slot: slot}, name)
	case "bytes":
		if n.logical == "decimal" {
			e.emit(op{code: opDecimal, slot: slot}, name)
			return
		}
		e.emit(op{code: opBytes, slot: slot}, name)
	case "enum":
		e.emit(op{code: opEnum, slot: slot, n: int64(len(n.symbols)), sub: e.c.symbolTable(n, slot)}, name)
	case "record":
		e.record(n, w, name)
	case "array":
		if w != nil && w.element != nil {
			e.emit(op{code: opElements, slot: noSlot, sub: e.c.elementProgram(n.items, w.element)}, name)
			return
		}
		e.emit(op{code: opArray, slot: noSlot, sub: e.c.program(n.items)}, name)
	case "map":
		e.emit(op{code: opMap, slot: noSlot, sub: e.c.program(n.items)}, name)
	case "union":
		e.union(n, w, slot, name)
	}
}

func (e *emitter) sized(code opcode, slot int32, n int64, name string) {
	if slot == noSlot {
		e.skip(n, name)
		return
	}
	e.emit(op{code: code, slot: slot, n: n}, name)
}

func (e *emitter) record(n *node, w *want, name string) {
	if w == nil {
		e.call(n, name)
		return
	}
	for _, f := range n.fields {
		e.value(f.node, w.fields[f.name], join(name, f.name))
	}
}

// call steps over a record of which nothing is wanted: skipped if its size is
// constant, copied if it is short, called otherwise.
func (e *emitter) call(n *node, name string) {
	i := e.c.program(n)
	p := &e.c.programs[i]
	switch {
	case e.c.building[n]:
		e.emit(op{code: opCall, slot: noSlot, sub: i}, name)
	case p.size >= 0:
		e.skip(p.size, name)
	case len(p.ops) <= inlineOps:
		for j, o := range p.ops {
			e.emit(o, join(name, p.names[j]))
		}
		e.barrier = len(e.ops)
	default:
		e.emit(op{code: opCall, slot: noSlot, sub: i}, name)
	}
}

func (e *emitter) union(n *node, w *want, slot int32, name string) {
	inner, nullIndex, ok := n.optional()
	if !ok {
		branches := make([]int32, len(n.branches))
		for i, branch := range n.branches {
			branches[i] = e.c.program(branch)
		}
		e.c.branches = append(e.c.branches, branches)
		e.emit(op{code: opUnion, slot: noSlot, n: int64(len(branches)), sub: int32(len(e.c.branches) - 1)}, name)
		return
	}
	at := len(e.ops)
	e.emit(op{code: opOptional, slot: slot, n: int64(nullIndex)}, name)
	outer := e.nested
	e.nested = outer || w != nil && slot == noSlot // a nullable record with wanted fields
	e.value(inner, w, name)
	e.nested = outer
	e.ops[at].sub = int32(len(e.ops) - at - 1)
	e.barrier = len(e.ops)
}

// program compiles the steps over a value of n of which nothing is wanted.
func (c *compiler) program(n *node) int32 {
	if i, ok := c.index[n]; ok {
		return i
	}
	i := int32(len(c.programs))
	c.programs = append(c.programs, program{size: -1})
	c.index[n] = i
	c.building[n] = true
	e := emitter{c: c}
	if n.avro == "record" {
		for _, f := range n.fields {
			e.value(f.node, nil, f.name)
		}
	} else {
		e.value(n, nil, "")
	}
	delete(c.building, n)
	c.programs[i] = e.program()
	return i
}

// elementProgram compiles the steps over one element of the unnested array. It
// is no program of the type: other arrays of it have no slots.
func (c *compiler) elementProgram(n *node, w *want) int32 {
	i := int32(len(c.programs))
	c.programs = append(c.programs, program{size: -1})
	e := emitter{c: c, element: true}
	e.value(n, w, "")
	c.programs[i] = e.program()
	return i
}

func (e *emitter) program() program {
	p := program{ops: e.ops, names: e.names, size: -1}
	if len(e.ops) == 0 {
		p.size = 0
	} else if len(e.ops) == 1 && e.ops[0].code == opSkip {
		p.size = e.ops[0].n
	}
	return p
}

func (c *compiler) symbolTable(n *node, slot int32) int32 {
	if slot == noSlot {
		return 0
	}
	table := make([][]byte, len(n.symbols))
	for i, s := range n.symbols {
		table[i] = []byte(s)
	}
	c.symbols = append(c.symbols, table)
	return int32(len(c.symbols) - 1)
}

// join makes a path; either part may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "." + b
}

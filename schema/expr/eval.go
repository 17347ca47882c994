package expr

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/tidemark-io/tidemark/schema"
)

// NewEval binds the program to rows: index gives the place of each field in
// them, or -1 ((*schema.Decoder).Index). An Eval belongs to one goroutine.
func (p *Program) NewEval(index func(field string) int) (*Eval, error) {
	return p.newEval(index, map[*Program]*Eval{}, &run{})
}

// newEval shares one Eval per let among all that name it.
func (p *Program) newEval(index func(field string) int, lets map[*Program]*Eval, r *run) (*Eval, error) {
	if e, ok := lets[p]; ok {
		return e, nil
	}
	e := &Eval{program: p, plain: -1, run: r, names: map[string]binding{}}
	bind := func(field string, t schema.Type) (int, error) {
		i := index(fieldOf(field))
		if i < 0 {
			return 0, fmt.Errorf("expression %q reads the field %q, which the rows don't have", clip(p.source), field)
		}
		e.names[field] = binding{slot: i, typ: t}
		return i, nil
	}
	if p.plain != "" {
		var err error
		e.plain, err = bind(p.plain, p.typ)
		lets[p] = e
		return e, err
	}
	for field, t := range p.direct {
		if _, err := bind(field, t); err != nil {
			return nil, err
		}
	}
	for name, let := range p.lets {
		inner, err := let.newEval(index, lets, r)
		if err != nil {
			return nil, err
		}
		e.names[name] = binding{let: inner, typ: let.typ}
	}
	lets[p] = e
	return e, e.link()
}

// link builds the readers of a compiled program.
func (e *Eval) link() error {
	if e.program.Interpreted() {
		return nil
	}
	n, err := e.program.nodes(func(name string) (node, error) {
		b, ok := e.names[name]
		switch {
		case !ok:
			return node{}, unsupported("the name " + name)
		case b.let == nil:
			return fieldNode(name, b.slot, b.typ)
		case b.let.plain >= 0:
			return fieldNode(name, b.let.plain, b.typ)
		}
		return letNode(name, b.let)
	})
	if err != nil {
		return fmt.Errorf("compile %q: %w", clip(e.program.source), err)
	}
	e.node, e.compiled = n, true
	return nil
}

// Eval evaluates one program for one event after another.
type Eval struct {
	program  *Program
	plain    int  // slot of the field that is the whole expression, or -1
	node     node // if compiled
	compiled bool
	names    map[string]binding
	run      *run // shared with the lets

	// As a let: what it gave for an event.
	event uint64
	value schema.Value
	state state
	fault *fault
	known any // the same for CEL, nil until it asks
}

var _ cel.Activation = (*Eval)(nil)

// binding is what a name stands for.
type binding struct {
	slot int
	typ  schema.Type
	let  *Eval
}

// Eval evaluates the program over a row. The result's Bytes may alias the row or
// a buffer: they are valid until either is used again. A failure is a
// *schema.RecordError with reason "expression".
func (e *Eval) Eval(row []schema.Value) (out schema.Value, err error) {
	if e.plain >= 0 {
		return row[e.plain], nil
	}
	r := e.run
	r.row = row
	r.event++
	if r.text = r.text[:0]; cap(r.text) > keptText {
		r.text = nil
	}
	s := e.compute(&out)
	r.row = nil // its bytes belong to the caller
	if s == failed {
		return schema.Value{}, e.program.recordError(r.fault)
	}
	return out, nil
}

// compute evaluates the program; if that fails, run.fault says why.
func (e *Eval) compute(out *schema.Value) state {
	if e.compiled {
		s := e.node.store(e.run, out, 1_000_000)
		if s == valid && len(out.Bytes) <= MaxResultBytes {
			return valid
		}
		return e.result(out, s)
	}
	if e.plain >= 0 {
		*out = e.run.row[e.plain]
		return valid
	}
	return e.interpret(out)
}

// interpret leaves it to cel-go.
func (e *Eval) interpret(out *schema.Value) state {
	v, _, err := e.program.cel.Eval(e)
	if err != nil {
		return e.run.fail(faultOf(err, e.nulls()))
	}
	if *out, err = fromCEL(v, e.program.typ); err != nil {
		return e.run.fail(faultOf(err, nil))
	}
	return valid
}

// result checks what a compiled program gives, as fromCEL does.
func (e *Eval) result(out *schema.Value, s state) state {
	if s == null && !e.program.typ.Nullable {
		return e.run.fail(faultNullFinal)
	}
	if len(out.Bytes) > MaxResultBytes {
		return e.run.fail(faultTooLong)
	}
	return s
}

// once computes a let when it is reached the first time for an event.
func (e *Eval) once() state {
	r := e.run
	if e.event == r.event {
		return e.state
	}
	e.state = e.compute(&e.value)
	if e.state == valid && e.value.IsNull() {
		e.state = null
	}
	e.event, e.fault, e.known = r.event, r.fault, nil
	return e.state
}

// ResolveName gives CEL the value of a field or let. A let is computed when it
// is reached, once an event; its error is a value, as an error in its place is.
func (e *Eval) ResolveName(name string) (any, bool) {
	if isNullName(name) {
		return types.NullValue, true
	}
	b, ok := e.names[name]
	if !ok {
		return nil, false
	}
	if b.let == nil {
		return toCEL(e.run.row[b.slot], b.typ, name), true
	}
	let := b.let
	s := let.once()
	if let.known == nil {
		if s == failed {
			let.known = types.WrapErr(&fault{let: name, cause: let.fault})
		} else {
			let.known = toCEL(let.value, b.typ, name)
		}
	}
	return let.known, true
}

// Parent is nil: there are no outer names.
func (e *Eval) Parent() cel.Activation { return nil }

// nulls are the fields of the expression, and of its lets, that are null: most
// often one is why CEL misses an overload.
func (e *Eval) nulls() []string {
	var names []string
	for _, field := range e.program.fields {
		if i := e.slotOf(field); i >= 0 && e.run.row[i].IsNull() {
			names = append(names, field)
		}
	}
	return names
}

// slotOf finds a field, of the expression itself or of a let.
func (e *Eval) slotOf(field string) int {
	for name, b := range e.names {
		if b.let != nil {
			if i := b.let.slotOf(field); i >= 0 {
				return i
			}
		} else if name == field {
			return b.slot
		}
	}
	return -1
}

// toCEL gives a value as CEL's own, so that no adapter has to guess.
func toCEL(v schema.Value, t schema.Type, name string) ref.Val {
	switch v.Kind {
	case schema.KindBool:
		return types.Bool(v.Bool())
	case schema.KindInt:
		unit := perSecond(t)
		if unit == 0 {
			return types.Int(v.Int())
		}
		at, ok := instantOf(v.Int(), unit)
		if !ok {
			return types.WrapErr(outOfRange(name))
		}
		return types.Timestamp{Time: at.utc(0)}
	case schema.KindFloat:
		return types.Double(v.Float())
	case schema.KindString:
		return types.String(v.Bytes)
	case schema.KindBytes:
		if t.Kind == schema.KindFloat {
			return types.Double(doubleOf(v.Bytes, t.Scale))
		}
		return types.Bytes(v.Bytes)
	}
	return types.NullValue
}

// fromCEL takes a result back, of exactly the announced type.
func fromCEL(out any, t schema.Type) (schema.Value, error) {
	kind, v := schema.KindNull, schema.Value{}
	switch out := out.(type) {
	case types.Bool:
		kind, v = schema.KindBool, schema.BoolValue(bool(out))
	case types.Int:
		kind, v = schema.KindInt, schema.IntValue(int64(out))
	case types.Double:
		kind, v = schema.KindFloat, schema.FloatValue(float64(out))
	case types.String:
		kind, v = schema.KindString, schema.StringValue([]byte(out))
	case types.Bytes:
		kind, v = schema.KindBytes, schema.BytesValue(out)
	case types.Timestamp:
		kind, v = schema.KindInt, schema.IntValue(out.UnixMicro()) // floors
	case types.Null:
		if !t.Nullable {
			return v, faultNullFinal
		}
		return v, nil
	}
	if kind != t.Kind {
		return v, fmt.Errorf("the result is %T, not %s", out, t)
	}
	if len(v.Bytes) > MaxResultBytes {
		return v, faultTooLong
	}
	return v, nil
}

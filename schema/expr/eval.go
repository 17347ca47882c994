package expr

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/tidemark-io/tidemark/schema"
)

// NewEval binds the program to rows: index gives the place of each field in
// them, or -1 ((*schema.Decoder).Index). An Eval belongs to one goroutine.
func (p *Program) NewEval(index func(field string) int) (*Eval, error) {
	lets := map[*Program]*Eval{}
	e, err := p.newEval(index, lets)
	if err != nil {
		return nil, err
	}
	for _, let := range lets {
		e.lets = append(e.lets, let) // e itself is among them
	}
	return e, nil
}

// newEval shares one Eval per let among all that name it.
func (p *Program) newEval(index func(field string) int, lets map[*Program]*Eval) (*Eval, error) {
	if e, ok := lets[p]; ok {
		return e, nil
	}
	e := &Eval{program: p, plain: -1, names: map[string]binding{}}
	bind := func(field string, t schema.Type) (int, error) {
		i := index(field)
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
		inner, err := let.newEval(index, lets)
		if err != nil {
			return nil, err
		}
		e.names[name] = binding{let: inner, typ: let.typ}
	}
	lets[p] = e
	return e, nil
}

// Eval evaluates one program for one event after another.
type Eval struct {
	program *Program
	plain   int // slot of the field that is the whole expression, or -1
	names   map[string]binding
	lets    []*Eval // of an outermost Eval: itself and every let below, each once

	row   []schema.Value // of the event in hand
	known any            // as a let: its value for this row, once computed
}

var _ cel.Activation = (*Eval)(nil)

// binding is what a name stands for.
type binding struct {
	slot int
	typ  schema.Type
	let  *Eval
}

// Eval evaluates the program over a row. The result's Bytes may alias the row.
// A failure is a *schema.RecordError with reason "expression".
func (e *Eval) Eval(row []schema.Value) (schema.Value, error) {
	if e.plain >= 0 {
		return row[e.plain], nil
	}
	e.start(row)
	out, err := e.run()
	if err != nil {
		err = e.failure(err)
	}
	e.start(nil) // the row's bytes belong to the caller
	return out, err
}

// start sets the row, everywhere, and forgets what lets gave for the last one.
func (e *Eval) start(row []schema.Value) {
	for _, let := range e.lets {
		let.row, let.known = row, nil
	}
}

func (e *Eval) run() (schema.Value, error) {
	if e.plain >= 0 {
		return e.row[e.plain], nil
	}
	out, _, err := e.program.cel.Eval(e)
	if err != nil {
		return schema.Value{}, err
	}
	return fromCEL(out, e.program.typ)
}

// ResolveName gives CEL the value of a field or let. A let is computed when it
// is reached, once an event; its error is a value, as an error in its place is.
func (e *Eval) ResolveName(name string) (any, bool) {
	b, ok := e.names[name]
	if !ok {
		return nil, false
	}
	if b.let == nil {
		return toCEL(e.row[b.slot], b.typ), true
	}
	if b.let.known == nil {
		v, err := b.let.run()
		if err != nil {
			b.let.known = types.WrapErr(fmt.Errorf("let %s: %w", name, err))
		} else {
			b.let.known = toCEL(v, b.typ)
		}
	}
	return b.let.known, true
}

// Parent is nil: there are no outer names.
func (e *Eval) Parent() cel.Activation { return nil }

// failure describes why the expression failed on this row. Most often a field
// is null, which CEL reports as a missing overload.
func (e *Eval) failure(err error) error {
	msg := err.Error()
	var nulls []string
	for _, field := range e.program.fields {
		if i := e.slotOf(field); i >= 0 && e.row[i].IsNull() {
			nulls = append(nulls, field)
		}
	}
	if before, _, ok := strings.Cut(msg, "no such overload"); ok && len(nulls) > 0 {
		msg = fmt.Sprintf("%snull where a value is needed (null here: %s): write %s != null ? ... : ...", before, strings.Join(nulls, ", "), nulls[0])
	}
	return &schema.RecordError{Reason: schema.ReasonExpression, Err: fmt.Errorf("expression %q: %s", clip(e.program.source), msg)}
}

// slotOf finds a field, of the expression itself or of a let.
func (e *Eval) slotOf(field string) int {
	for _, let := range e.lets {
		if b, ok := let.names[field]; ok && b.let == nil {
			return b.slot
		}
	}
	return -1
}

// toCEL gives a value as CEL's own, so that no adapter has to guess.
func toCEL(v schema.Value, t schema.Type) any {
	switch v.Kind {
	case schema.KindBool:
		return types.Bool(v.Bool())
	case schema.KindInt:
		return instant(v.Int(), perSecond(t))
	case schema.KindFloat:
		return types.Double(v.Float())
	case schema.KindString:
		return types.String(v.Bytes)
	case schema.KindBytes:
		return types.Bytes(v.Bytes)
	}
	return types.NullValue
}

func instant(v, perSecond int64) any {
	if perSecond == 0 {
		return types.Int(v)
	}
	t := time.Unix(v/perSecond, v%perSecond*(1_000_000_000/perSecond)).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return types.NewErr("a timestamp (%d) is outside the years 1 to 9999", v)
	}
	return types.Timestamp{Time: t}
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
			return v, errors.New("the result is null")
		}
		return v, nil
	}
	if kind != t.Kind {
		return v, fmt.Errorf("the result is %T, not %s", out, t)
	}
	if len(v.Bytes) > MaxResultBytes {
		return v, fmt.Errorf("the result has %d bytes, at most %d are allowed", len(v.Bytes), MaxResultBytes)
	}
	return v, nil
}

package expr

import (
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/tidemark-io/tidemark/schema"
)

// literal builds a constant.
func literal(v ref.Val) (node, error) {
	switch v := v.(type) {
	case types.Null:
		return node{kind: kindNull}, nil
	case types.Bool:
		return constantBool(bool(v)), nil
	case types.Int:
		return constantOf(intNode(always(int64(v)))), nil
	case types.Double:
		return constantOf(doubleNode(always(float64(v)))), nil
	case types.String:
		return constantOf(textNode(kindString, always([]byte(v)))), nil
	case types.Bytes:
		return constantOf(textNode(kindBytes, always([]byte(v)))), nil
	}
	return node{}, unsupported(v.Type().TypeName() + " numbers")
}

func always[T any](v T) reader[T] {
	return func(*run) (T, state) { return v, valid }
}

func constantOf(n node) node {
	n.constant = true
	return n
}

func constantBool(b bool) node { return constantOf(boolNode(always(b))) }

// fold evaluates a node all of whose operands are constants, once. What fails
// stays as it is: it may never be reached.
func fold(n node) node {
	switch n.kind {
	case kindBool:
		n.bools, n.constant = foldOne(n.bools)
	case kindInt, kindSpan:
		n.ints, n.constant = foldOne(n.ints)
	case kindDouble:
		n.floats, n.constant = foldOne(n.floats)
	case kindString, kindBytes:
		text, s := n.texts(&run{})
		if s == valid {
			n.texts, n.constant = always(slices.Clone(text)), true
		}
	case kindTime:
		n.times, n.constant = foldOne(n.times)
	}
	return n
}

func foldOne[T any](read reader[T]) (reader[T], bool) {
	v, s := read(&run{})
	if s != valid {
		return read, false
	}
	return always(v), true
}

// fieldNode reads a field from the row.
func fieldNode(name string, slot int, t schema.Type) (node, error) {
	n := node{name: name, slot: slot}
	switch t.Kind {
	case schema.KindNull:
		return n, nil
	case schema.KindBool:
		n.kind = kindBool
		n.bools = func(r *run) (bool, state) {
			v := &r.row[slot]
			return v.Num != 0, stateAs(v, schema.KindBool)
		}
	case schema.KindInt:
		if unit := perSecond(t); unit > 0 {
			n.kind, n.times = kindTime, instantField(name, slot, unit)
			return n, nil
		}
		n.kind, n.direct = kindInt, true
		n.ints = func(r *run) (int64, state) {
			v := &r.row[slot]
			return int64(v.Num), stateAs(v, schema.KindInt)
		}
	case schema.KindFloat:
		if t.Precision > 0 {
			n.kind = kindDouble
			n.floats = func(r *run) (float64, state) {
				v := &r.row[slot]
				if s := stateAs(v, schema.KindBytes); s != valid {
					return 0, s
				}
				return doubleOf(v.Bytes, t.Scale), valid
			}
			return n, nil
		}
		n.kind, n.direct = kindDouble, true
		n.floats = func(r *run) (float64, state) {
			v := &r.row[slot]
			return v.Float(), stateAs(v, schema.KindFloat)
		}
	case schema.KindString, schema.KindBytes:
		n.kind, n.direct = kindString, true
		if t.Kind == schema.KindBytes {
			n.kind = kindBytes
		}
		want := t.Kind
		n.texts = func(r *run) ([]byte, state) {
			v := &r.row[slot]
			return v.Bytes, stateAs(v, want)
		}
	default:
		return n, unsupported(t.String())
	}
	return n, nil
}

func stateAs(v *schema.Value, want schema.Kind) state {
	if v.Kind != want {
		return null
	}
	return valid
}

func instantField(name string, slot int, unit int64) reader[instant] {
	outside := outOfRange(name)
	return func(r *run) (instant, state) {
		v := &r.row[slot]
		if v.Kind != schema.KindInt {
			return instant{}, null
		}
		t, ok := instantOf(int64(v.Num), unit)
		if !ok {
			return instant{}, r.fail(outside)
		}
		return t, valid
	}
}

// letNode reads a let, which is computed once an event, when it is reached.
func letNode(name string, let *Eval) (node, error) {
	n := node{name: name}
	read := func(r *run) (*schema.Value, state) {
		s := let.once()
		if s == failed {
			s = r.fail(&fault{let: name, cause: let.fault})
		}
		return &let.value, s
	}
	t := let.program.typ
	switch t.Kind {
	case schema.KindBool:
		n.kind, n.bools = kindBool, letReader(read, (*schema.Value).Bool)
	case schema.KindInt:
		if unit := perSecond(t); unit > 0 {
			n.kind, n.times = kindTime, letInstant(name, read, unit)
			return n, nil
		}
		n.kind, n.ints = kindInt, letReader(read, (*schema.Value).Int)
	case schema.KindFloat:
		n.kind, n.floats = kindDouble, letReader(read, (*schema.Value).Float)
	case schema.KindString:
		n.kind, n.texts = kindString, letReader(read, textOf)
	case schema.KindBytes:
		n.kind, n.texts = kindBytes, letReader(read, textOf)
	default:
		return n, unsupported(t.String())
	}
	return n, nil
}

func textOf(v *schema.Value) []byte { return v.Bytes }

// letReader takes the value out of what a let or function has stored.
func letReader[T any](read reader[*schema.Value], of func(*schema.Value) T) reader[T] {
	return func(r *run) (zero T, _ state) {
		v, s := read(r)
		if s != valid {
			return zero, s
		}
		return of(v), valid
	}
}

func letInstant(name string, read reader[*schema.Value], unit int64) reader[instant] {
	outside := outOfRange(name)
	return func(r *run) (instant, state) {
		v, s := read(r)
		if s != valid {
			return instant{}, s
		}
		t, ok := instantOf(v.Int(), unit)
		if !ok {
			return instant{}, r.fail(outside)
		}
		return t, valid
	}
}

package aggregates

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// truth is any(c), whether c was true of any value, and all(c), whether it was of all. Null when there was no value:
// neither has an answer then.
//
// State: 1 byte: 1 if there was a false, 2 if there was a true, or both. any and all of one argument share it. Merging
// takes the union.
type truth struct{ all bool }

func (truth) Cell() string { return "truth/1" }

func (truth) New() window.Accumulator { return new(truths) }

func (truth) Result() schema.Type { return typeNullableBool }

func (a truth) Value(acc window.Accumulator, _ []byte) (schema.Value, error) {
	s, ok := acc.(*truths)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("any or all of a %T", acc)
	case *s == 0:
		return schema.NullValue(), nil
	case a.all:
		return schema.BoolValue(*s&sawFalse == 0), nil
	}
	return schema.BoolValue(*s&sawTrue != 0), nil
}

// truths says which of the two there were.
type truths uint8

const (
	sawFalse truths = 1
	sawTrue  truths = 2
)

func (s *truths) Add(v schema.Value, _ window.Order) error {
	if err := (form{kind: schema.KindBool}).check(v); err != nil {
		return err
	}
	if v.Bool() {
		*s |= sawTrue
	} else {
		*s |= sawFalse
	}
	return nil
}

func (s *truths) Merge(other window.Accumulator) error {
	o, ok := other.(*truths)
	if !ok {
		return mismatch(s, other)
	}
	*s |= *o
	return nil
}

func (s *truths) Append(dst []byte) []byte { return append(dst, byte(*s)) }

func (s *truths) Decode(src []byte) error {
	r := reader{src: src}
	b := truths(r.byte())
	if b > sawFalse|sawTrue {
		r.fail("flags %#x", b)
	}
	*s = b
	return r.end()
}

func (s *truths) Bytes() int64 { return 8 }

// truthOf defines any or all.
func truthOf(name string, all bool) window.Definition {
	return window.Definition{
		Name: name, Params: "(condition)",
		New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
			if in.Kind != schema.KindBool {
				return nil, fmt.Errorf("%s of %v: it needs a condition, as x > 0", name, in)
			}
			return truth{all}, nil
		},
	}
}

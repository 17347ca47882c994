package aggregates

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// distinct is distinct(x) or distinct(x, limit): how many different values there were, exactly, and null when there
// were more than limit (10,000 unless given; at most 100,000) or when they are longer than 1 MiB together. -0 and 0 are
// one value, all NaN are one. Of no values it is 0.
//
// State (tally): 2 bytes and the values; beyond the limit 1 byte. Merging is the union.
type distinct struct {
	form  form
	limit int
}

const (
	limitDefault = 10_000
	limitMax     = 100_000
)

func (d distinct) Cell() string { return fmt.Sprintf("distinct/1 %v limit=%d", d.form, d.limit) }

func (d distinct) New() window.Accumulator { return &tally{form: d.form, limit: d.limit} }

func (distinct) Result() schema.Type { return typeNullableLong }

func (distinct) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	t, ok := a.(*tally)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("distinct of a %T", a)
	case t.beyond:
		return schema.NullValue(), nil
	}
	return schema.IntValue(int64(len(t.entries))), nil
}

// distinctMade makes distinct(x[, limit]).
func distinctMade(in schema.Type, params []window.Literal) (window.Aggregate, error) {
	f, err := formOf(in)
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(params, 0)
	if err != nil {
		return nil, fmt.Errorf("distinct: %w; approx_distinct(x) has no limit", err)
	}
	return distinct{f, limit}, nil
}

// limitOf is the parameter at index i, the limit of different values, if it is given.
func limitOf(params []window.Literal, i int) (int, error) {
	if len(params) <= i {
		return limitDefault, nil
	}
	return wholeParam(params[i], "the limit", 1, limitMax)
}

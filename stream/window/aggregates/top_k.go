package aggregates

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// topK is top_k(x, k) or top_k(x, k, limit): the k most frequent values with their counts, the most frequent first, of
// equal counts the lesser value first (form). It is exact within the window. Null when there were more than limit
// different values (10,000 unless given; at most 100,000), or when they are longer than 1 MiB together, or when there
// were none. -0 and 0 are one value, all NaN are one. k is from 1 to 1,000.
//
// The result is an Avro array of records {value, count}.
//
// State (tally): 2 bytes, the values and 1 to 10 bytes for each one's count; beyond the limit 1 byte. Merging adds
// counts. All top_k of one argument and limit share it.
type topK struct {
	form  form
	limit int
	k     int
	typ   schema.Type
}

const topMax = 1_000

func (a topK) Cell() string { return fmt.Sprintf("tally/1 %v limit=%d", a.form, a.limit) }

func (a topK) New() window.Accumulator { return &tally{form: a.form, limit: a.limit, counted: true} }

func (a topK) Result() schema.Type { return a.typ }

func (a topK) Value(acc window.Accumulator, scratch []byte) (schema.Value, error) {
	t, ok := acc.(*tally)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("top_k of a %T", acc)
	case t.beyond || len(t.entries) == 0:
		return schema.NullValue(), nil
	}
	top := mostFrequent(t.entries, a.k)
	dst := binary.AppendVarint(scratch[:0], int64(len(top)))
	for i := range top {
		dst = a.form.appendAvro(dst, top[i].key)
		dst = binary.AppendVarint(dst, int64(top[i].count))
	}
	return schema.BytesValue(append(dst, 0)), nil
}

// mostFrequent is the first k of entries by falling count, then rising key.
func mostFrequent(entries []entry, k int) []entry {
	byRank := func(a, b entry) int {
		if c := cmp.Compare(b.count, a.count); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	}
	top := make([]entry, 0, min(k, len(entries))+1)
	for _, e := range entries {
		if len(top) == k && byRank(e, top[k-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(top, e, byRank)
		top = slices.Insert(top, i, e)
		top = top[:min(k, len(top))]
	}
	return top
}

// topKMade makes top_k(x, k[, limit]).
func topKMade(in schema.Type, params []window.Literal) (window.Aggregate, error) {
	f, err := formOf(in)
	if err != nil {
		return nil, err
	}
	k, err := wholeParam(params[0], "k", 1, topMax)
	if err != nil {
		return nil, fmt.Errorf("top_k: %w", err)
	}
	limit, err := limitOf(params, 1)
	if err != nil {
		return nil, fmt.Errorf("top_k: %w", err)
	}
	typ := rawOf(`{"type":"array","items":{"type":"record","name":"top_k","fields":[{"name":"value","type":` +
		avroOf(in) + `},{"name":"count","type":"long"}]}}`)
	return topK{form: f, limit: limit, k: k, typ: typ}, nil
}

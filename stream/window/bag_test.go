package window

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
)

// bag is an Aggregate that keeps all that it is given: time, identity and value of each event, in their order. Its
// value is its bytes. An accumulator that forgot, doubled or mixed up anything would show.
type bag struct{ name string }

const bagItem = 8 + 16 + 8

type bagOf struct{ items [][bagItem]byte }

func (b bag) Cell() string      { return "bag/1 " + b.name }
func (bag) New() Accumulator    { return &bagOf{} }
func (bag) Result() schema.Type { return schema.Type{Kind: schema.KindBytes, Avro: "bytes"} }

func (bag) Value(a Accumulator, scratch []byte) (schema.Value, error) {
	return schema.Value{Kind: schema.KindBytes, Bytes: a.Append(scratch[:0])}, nil
}

func (a *bagOf) Add(v schema.Value, at Order) error {
	if v.Kind == schema.KindNull {
		return errors.New("a null reached an accumulator")
	}
	item := bagItemOf(at.Time, at.ID, v.Num)
	i, _ := slices.BinarySearchFunc(a.items, item, compareItems)
	a.items = slices.Insert(a.items, i, item)
	return nil
}

func bagItemOf(t int64, id [16]byte, num uint64) (item [bagItem]byte) {
	copy(item[:], appendTime(nil, t))
	copy(item[8:], id[:])
	binary.BigEndian.PutUint64(item[24:], num)
	return item
}

func compareItems(x, y [bagItem]byte) int { return slices.Compare(x[:], y[:]) }

func (a *bagOf) Merge(other Accumulator) error {
	o, ok := other.(*bagOf)
	if !ok {
		return errors.New("another aggregate's accumulator")
	}
	a.items = append(a.items, o.items...)
	slices.SortFunc(a.items, compareItems)
	return nil
}

func (a *bagOf) Append(dst []byte) []byte {
	for i := range a.items {
		dst = append(dst, a.items[i][:]...)
	}
	return dst
}

func (a *bagOf) Decode(src []byte) error {
	if len(src)%bagItem != 0 {
		return errors.New("half an item")
	}
	a.items = nil
	for ; len(src) > 0; src = src[bagItem:] {
		item := [bagItem]byte(src)
		if n := len(a.items); n > 0 && compareItems(a.items[n-1], item) > 0 {
			return errors.New("items out of order")
		}
		a.items = append(a.items, item)
	}
	return nil
}

func (a *bagOf) Bytes() int64 { return int64(cap(a.items)) * bagItem }

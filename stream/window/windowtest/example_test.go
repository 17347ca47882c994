package windowtest_test

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// longest is an aggregate of one's own: the longest string, counted in code points, of equally long ones the least by
// its bytes. Without that tie the answer would depend on which of two came first, and the suite would say so.
type longest struct{}

// Cell names the accumulator: its number changes when its bytes or results do.
func (longest) Cell() string { return "example.com/longest/1" }

func (longest) New() window.Accumulator { return &kept{} }

func (longest) Result() schema.Type {
	return schema.Type{Kind: schema.KindString, Avro: "string", Nullable: true}
}

func (longest) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	k, ok := a.(*kept)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("longest of a %T", a)
	case !k.any:
		return schema.NullValue(), nil
	}
	return schema.StringValue(k.text), nil
}

// kept is the accumulator: one string, or none.
type kept struct {
	any  bool
	text []byte
}

func (k *kept) Add(v schema.Value, _ window.Order) error {
	k.offer(v.Bytes)
	return nil
}

// offer keeps a copy of text if it is longer.
func (k *kept) offer(text []byte) {
	if k.any {
		n, m := utf8.RuneCount(text), utf8.RuneCount(k.text)
		if n < m || n == m && bytes.Compare(text, k.text) >= 0 {
			return
		}
	}
	k.any = true
	k.text = append(k.text[:0], text...)
}

func (k *kept) Merge(other window.Accumulator) error {
	o, ok := other.(*kept)
	if !ok {
		return fmt.Errorf("merge of longest with a %T", other)
	}
	if o.any {
		k.offer(o.text)
	}
	return nil
}

// Append writes nothing for none, else 1 and the string.
func (k *kept) Append(dst []byte) []byte {
	if !k.any {
		return dst
	}
	return append(append(dst, 1), k.text...)
}

func (k *kept) Decode(src []byte) error {
	*k = kept{}
	if len(src) == 0 {
		return nil
	}
	if src[0] != 1 {
		return errors.New("longest: neither nothing nor a string")
	}
	k.any = true
	k.text = append(k.text, src[1:]...)
	return nil
}

func (k *kept) Bytes() int64 { return 48 + int64(cap(k.text)) }

// Longest makes longest(text) known to pipelines under its name.
var Longest = window.Definition{
	Name:   "longest",
	Params: "(text)",
	New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
		if in.Kind != schema.KindString {
			return nil, fmt.Errorf("longest of %v: it needs a string", in)
		}
		return longest{}, nil
	},
}

func Example() {
	agg, err := Longest.New(schema.Type{Kind: schema.KindString, Avro: "string"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	monday, tuesday := agg.New(), agg.New()
	for _, word := range []string{"tide", "ebb"} {
		if err := monday.Add(schema.StringValue([]byte(word)), window.Order{}); err != nil {
			fmt.Println(err)
		}
	}
	if err := tuesday.Add(schema.StringValue([]byte("watermark")), window.Order{}); err != nil {
		fmt.Println(err)
	}
	if err := monday.Merge(tuesday); err != nil {
		fmt.Println(err)
	}
	v, err := agg.Value(monday, nil)
	fmt.Println(v, err)
	fmt.Printf("%q\n", monday.Append(nil))
	// Output:
	// watermark <nil>
	// "\x01watermark"
}

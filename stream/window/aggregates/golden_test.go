package aggregates

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// TestGolden reads testdata/golden: the bytes of every accumulator (FORMAT.md), which stay as they are for as long as
// the cell's name does, and the value that those bytes have. Each line of input is a value, with @time:identity behind
// it where that matters; count(n) stands for the ints below n.
func TestGolden(t *testing.T) {
	types := map[string]schema.Type{
		"bool": boolType, "long": longType, "double": doubleType, "string": stringType, "bytes": bytesType, "decimal": decimalType,
		"digits": wideType,
	}
	datadriven.RunTest(t, "testdata/golden", func(t *testing.T, d *datadriven.TestData) string {
		words := []string{d.Cmd}
		for _, arg := range d.CmdArgs {
			words = append(words, arg.Key)
		}
		var params []window.Literal
		for _, w := range words[2:] {
			params = append(params, literal(t, w))
		}
		in := types[words[1]]
		agg := made(t, words[0], in, params...)
		a := agg.New()
		for line := range strings.Lines(d.Input) {
			addLine(t, a, in, strings.TrimSpace(line))
		}
		b := a.Append(nil)
		read := agg.New()
		if err := read.Decode(b); err != nil {
			t.Fatal(err)
		}
		if again := read.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("read and written again: %x", again)
		}
		text := hex.EncodeToString(b)
		if len(b) > 100 {
			text = fmt.Sprintf("%d bytes %x..., SHA-256 %x", len(b), b[:16], sha256.Sum256(b))
		}
		return fmt.Sprintf("%s\n%s\n%v\n", agg.Cell(), text, valueIn(t, agg, read))
	})
}

func addLine(t *testing.T, a window.Accumulator, in schema.Type, line string) {
	t.Helper()
	var at window.Order
	if text, place, ok := strings.Cut(line, "@"); ok {
		if _, err := fmt.Sscanf(place, "%d:%d", &at.Time, &at.ID[15]); err != nil {
			t.Fatal(err)
		}
		line = text
	}
	values := []schema.Value{}
	var n int64
	if _, err := fmt.Sscanf(line, "count(%d)", &n); err == nil {
		for i := range n {
			values = append(values, schema.IntValue(i))
		}
	} else {
		values = append(values, valueFrom(t, in, line))
	}
	for _, v := range values {
		if err := a.Add(v, at); err != nil {
			t.Fatal(err)
		}
	}
}

// valueFrom reads a value of a type.
func valueFrom(t *testing.T, in schema.Type, text string) schema.Value {
	t.Helper()
	switch in.Kind {
	case schema.KindBool:
		return schema.BoolValue(text == "true")
	case schema.KindInt:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return schema.IntValue(i)
	case schema.KindFloat:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return schema.FloatValue(f)
	case schema.KindString:
		return schema.StringValue([]byte(text))
	}
	if in.Decimal() {
		whole, fraction, _ := strings.Cut(text, ".")
		v, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", in.Scale-len(fraction)), 10)
		if !ok {
			t.Fatalf("%q is no decimal", text)
		}
		return schema.BytesValue(bytesOf(v))
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return schema.BytesValue(b)
}

package reconcile

import (
	"math/big"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/schema"
)

// unscaled is a decimal's number without its scale: two's complement, big endian.
func unscaled(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func power(scale int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
}

// decimalNumber is n * 10^-scale. It is shown only: its value is no row's.
func decimalNumber(n *big.Int, scale int) Number {
	return Number{v: schema.BytesValue(n.Bytes()), class: decimal, shown: new(big.Rat).SetFrac(n, power(scale)).FloatString(scale)}
}

// minusDecimal is a - b, with as many digits behind the point as the longer one has.
func minusDecimal(a, b Number) Number {
	x, okA := new(big.Rat).SetString(a.shown)
	y, okB := new(big.Rat).SetString(b.shown)
	if !okA || !okB {
		return Number{}
	}
	scale := max(digitsBehind(a.shown), digitsBehind(b.shown))
	return Number{v: schema.BytesValue(nil), class: decimal, shown: x.Sub(x, y).FloatString(scale)}
}

func digitsBehind(digits string) int {
	_, fraction, _ := strings.Cut(digits, ".")
	return len(fraction)
}

// extremeNumber is the least or greatest value of a type.
func extremeNumber(v schema.Value, t schema.Type) Number {
	switch classOf(t) {
	case decimal:
		return decimalNumber(unscaled(v.Bytes), t.Scale)
	case instant:
		at := time.UnixMilli(v.Int())
		if t.Logical == "timestamp-micros" {
			at = time.UnixMicro(v.Int())
		}
		return Number{v: v, class: instant, shown: at.UTC().Format(time.RFC3339Nano)}
	}
	return Number{v: v}
}

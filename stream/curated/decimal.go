package curated

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// A decimal's value is the unscaled number in two's complement, big endian, as short as can be (schema.Type.Decimal).

// decimalDigitsMax is how long a decimal people type can be.
const decimalDigitsMax = 5000

// formatDecimal writes a decimal with all digits of its scale: 12.50.
func formatDecimal(unscaled []byte, scale int) string {
	n := new(big.Int).SetBytes(unscaled)
	if len(unscaled) > 0 && unscaled[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(unscaled))))
	}
	text := new(big.Int).Abs(n).String()
	if scale > 0 {
		text = strings.Repeat("0", max(scale+1-len(text), 0)) + text
		text = text[:len(text)-scale] + "." + text[len(text)-scale:]
	}
	if n.Sign() < 0 {
		return "-" + text
	}
	return text
}

// parseDecimal reads a decimal of a type; it may have fewer digits behind the point than the scale, not more.
func parseDecimal(text string, t schema.Type) (schema.Value, error) {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" || len(text) > decimalDigitsMax {
		return schema.Value{}, fmt.Errorf("%q is no decimal number", text)
	}
	if len(fraction) > t.Scale {
		return schema.Value{}, fmt.Errorf("%q has more than %d digits behind the point", text, t.Scale)
	}
	n, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", t.Scale-len(fraction)), 10)
	if strings.HasPrefix(text, "-") {
		n.Neg(n)
	}
	return schema.BytesValue(twosComplement(n)), nil
}

// twosComplement is n big endian, without redundant leading bytes.
func twosComplement(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			return append([]byte{0}, b...)
		}
		return b
	}
	size := len(new(big.Int).Not(n).Bytes()) // of -n-1, whose top bit must be clear
	if size == 0 || new(big.Int).Not(n).Bit(8*size-1) == 1 {
		size++
	}
	return new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size))).Bytes()
}

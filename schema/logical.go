package schema

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

const (
	dateLayout  = "2006-01-02"
	localLayout = "2006-01-02T15:04:05.999999999"
)

// unitsPerSecond is the resolution of a timestamp's logical type, and whether
// it is a local one (a reading of a wall clock, without a zone); 0 for others.
func unitsPerSecond(logical string) (units int64, local bool) {
	logical, local = strings.CutPrefix(logical, "local-")
	switch logical {
	case "timestamp-millis":
		return 1_000, local
	case "timestamp-micros":
		return 1_000_000, local
	case "timestamp-nanos":
		return 1_000_000_000, local
	}
	return 0, false
}

// parseLogical reads the text of a date or a timestamp. Text finer than the
// type's unit is an error: dropping digits would change the data.
func parseLogical(logical, text string) (int64, error) {
	units, local := unitsPerSecond(logical)
	var t time.Time
	var err error
	switch {
	case logical == "date":
		if t, err = time.Parse(dateLayout, text); err != nil {
			return 0, errors.New(`a date is written "2013-01-05"`)
		}
		return t.Unix() / 86400, nil
	case units == 0:
		return 0, errors.New("write the number without quotes")
	case local:
		if t, err = time.Parse(localLayout, text); err != nil {
			return 0, errors.New(`a local time is written "2013-01-05T07:30:00.123", without a zone`)
		}
	default:
		if t, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return 0, errors.New(`a time is written as RFC 3339: "2013-01-05T07:30:00.123Z"`)
		}
	}
	perUnit := 1_000_000_000 / units
	if int64(t.Nanosecond())%perUnit != 0 {
		return 0, fmt.Errorf("finer than the field's %s", logical)
	}
	return seconds(t.Unix(), units, int64(t.Nanosecond())/perUnit)
}

func seconds(s, units, rest int64) (int64, error) {
	v := s*units + rest
	if (v-rest)/units != s {
		return 0, errors.New("beyond the range of the field")
	}
	return v, nil
}

// formatLogical writes a date or a timestamp, if v is one that text can say: in
// the years 1 to 9999.
func formatLogical(logical string, v int64) (string, bool) {
	units, local := unitsPerSecond(logical)
	var t time.Time
	switch {
	case logical == "date":
		t = time.Unix(v*86400, 0).UTC()
	case units == 0:
		return "", false
	default:
		s, rest := v/units, v%units
		t = time.Unix(s, rest*(1_000_000_000/units)).UTC()
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return "", false
	}
	switch {
	case logical == "date":
		return t.Format(dateLayout), true
	case local:
		return t.Format(localLayout), true
	}
	return t.Format(time.RFC3339Nano), true
}

// decimalBytes gives the unscaled value of a decimal, big endian in two's
// complement; as short as possible, or filled up to a fixed's size.
func decimalBytes(text string, n *node) ([]byte, error) {
	unscaled, err := parseDecimal(text, n.scale)
	if err != nil {
		return nil, err
	}
	if digits := len(new(big.Int).Abs(unscaled).String()); digits > n.precision {
		return nil, fmt.Errorf("%d digits, the decimal's precision is %d", digits, n.precision)
	}
	length := unscaled.BitLen()/8 + 1
	if unscaled.Sign() < 0 { // -128 needs one byte, 128 two
		length = new(big.Int).Not(unscaled).BitLen()/8 + 1
	}
	if n.avro == "fixed" {
		if length > n.size {
			return nil, fmt.Errorf("needs %d bytes, the fixed has %d", length, n.size)
		}
		length = n.size
	}
	if unscaled.Sign() < 0 {
		unscaled.Add(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	return unscaled.FillBytes(make([]byte, length)), nil
}

// zeroDecimal is the one form of the decimal zero: Java reads no number from no bytes.
var zeroDecimal = []byte{0}

// trimDecimal takes off the leading bytes of a two's complement number that say nothing, so that equal numbers have
// equal bytes.
func trimDecimal(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	if len(b) == 0 {
		return zeroDecimal
	}
	return b
}

// parseDecimal reads "-12.5" as -1250 for scale 2. Digits beyond the scale are
// refused rather than rounded, exponents are not decimals.
func parseDecimal(text string, scale int) (*big.Int, error) {
	const digitsMax = 1000
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dot := strings.Cut(digits, ".")
	if whole == "" || dot && fraction == "" || len(text) > digitsMax || scale > digitsMax || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, errors.New(`a decimal is written "12.50"`)
	}
	if len(fraction) > scale {
		return nil, fmt.Errorf("%d digits after the point, the decimal's scale is %d", len(fraction), scale)
	}
	v, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if !ok {
		return nil, errors.New(`a decimal is written "12.50"`)
	}
	if negative {
		v.Neg(v)
	}
	return v, nil
}

// formatDecimal writes an unscaled value with its point. A value of an absurd
// length, whose digits take quadratic time, is left to the plain form.
func formatDecimal(b []byte, scale int) (string, bool) {
	const lengthMax, scaleMax = 1024, 1000
	if len(b) > lengthMax || scale > scaleMax {
		return "", false
	}
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	sign := ""
	if v.Sign() < 0 {
		sign = "-"
		v.Neg(v)
	}
	digits := v.String()
	if scale == 0 {
		return sign + digits, true
	}
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:], true
}

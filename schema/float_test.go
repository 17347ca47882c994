package schema

import (
	"math"
	"strings"
	"testing"
)

// A double beyond 2^53 must not look like a whole number: a reader would take it for another value.
func TestLargeDoublesKeepTheirForm(t *testing.T) {
	for f, want := range map[float64]string{
		9223372036854775808: "9.223372036854776e+18", -(1 << 53): "-9.007199254740992e+15", 1<<53 - 1: "9007199254740991",
		0.5: "0.5", 1e300: "1e+300", math.Inf(1): `"Infinity"`,
	} {
		got, err := appendFloat(nil, f, 64)
		if err != nil || !strings.EqualFold(string(got), want) {
			t.Errorf("%v: %s, want %s, %v", f, got, want, err)
		}
	}
}

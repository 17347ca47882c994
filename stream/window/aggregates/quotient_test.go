package aggregates

import (
	"math/big"
	"testing"
)

// What lies a little above the middle of two doubles is rounded up, however little; the middle itself to the even one.
func TestQuotientAboveTheMiddle(t *testing.T) {
	one, two := big.NewInt(1), big.NewInt(2)
	power := func(n int64) *big.Int { return new(big.Int).Exp(two, big.NewInt(n), nil) }
	sum := func(of ...*big.Int) *big.Int {
		total := new(big.Int)
		for _, v := range of {
			total.Add(total, v)
		}
		return total
	}
	middle := sum(power(300), power(247)) // (1 + 2^-53) 2^300
	for _, c := range []struct {
		num  *big.Int
		want float64
	}{{middle, 1}, {sum(middle, one), 1 + 0x1p-52}, {new(big.Int).Sub(middle, one), 1}} {
		if got := quotient(c.num, power(300)); got != c.want {
			t.Errorf("%v / 2^300 is %b, want %b", c.num, got, c.want)
		}
		if got := quotient(new(big.Int).Neg(c.num), power(300)); got != -c.want {
			t.Errorf("-%v / 2^300 is %b, want %b", c.num, got, -c.want)
		}
		square := new(big.Int).Mul(middle, middle)
		square.Add(square, new(big.Int).Sub(c.num, middle))
		if got := quotientRoot(square, power(600)); got != c.want {
			t.Errorf("the root of %v / 2^600 is %b, want %b", square, got, c.want)
		}
	}
}

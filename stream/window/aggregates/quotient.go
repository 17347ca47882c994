package aggregates

import "math/big"

// quotientBits are more bits than a double's mantissa and its rounding need.
const quotientBits = 66

// quotient is num / den, rounded once to the nearest double (of two equally near, the even one). den is above 0.
func quotient(num, den *big.Int) float64 {
	shift := max(0, quotientBits+den.BitLen()-num.BitLen())
	q, rest := new(big.Int), new(big.Int)
	q.QuoRem(new(big.Int).Lsh(new(big.Int).Abs(num), uint(shift)), den, rest)
	f := rounded(q, rest.Sign() != 0, -shift)
	if num.Sign() < 0 {
		return -f
	}
	return f
}

// quotientRoot is the square root of num / den, rounded once. num is at least 0, den above it.
func quotientRoot(num, den *big.Int) float64 {
	half := max(0, (2*quotientBits+2+den.BitLen()-num.BitLen())/2)
	q, rest := new(big.Int), new(big.Int)
	q.QuoRem(new(big.Int).Lsh(num, 2*uint(half)), den, rest)
	root := new(big.Int).Sqrt(q)
	inexact := rest.Sign() != 0 || new(big.Int).Mul(root, root).Cmp(q) != 0
	return rounded(root, inexact, -half)
}

// rounded is the double nearest to q * 2^exponent, or to a number a little above it if inexact; q has quotientBits or
// is exact. One more bit of q, set if inexact, lets a single rounding decide.
func rounded(q *big.Int, inexact bool, exponent int) float64 {
	q = new(big.Int).Lsh(q, 1)
	if inexact {
		q.SetBit(q, 0, 1)
	}
	f := new(big.Float).SetInt(q)
	v, _ := f.SetMantExp(f, exponent-1).Float64()
	return v
}

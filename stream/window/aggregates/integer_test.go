package aggregates

import (
	"bytes"
	"math/big"
	"testing"
)

// An integer equals math/big's, in whatever form it is held, and has one form in bytes.
func TestIntegerIsExact(t *testing.T) {
	r := seeded(17)
	for range 300 {
		var a, b integer
		want := new(big.Int)
		for range r.IntN(40) {
			into := &a
			if r.IntN(2) == 0 {
				into = &b
			}
			switch r.IntN(3) {
			case 0:
				v := drawInt(r).Int()
				into.add(v)
				want.Add(want, big.NewInt(v))
			case 1:
				v := drawInt(r).Int()
				into.addSquare(v)
				want.Add(want, new(big.Int).Mul(big.NewInt(v), big.NewInt(v)))
			case 2:
				v := drawWide(r).Bytes
				into.addBytes(v)
				want.Add(want, bigOf(v))
			}
		}
		a.merge(&b)
		if a.big().Cmp(want) != 0 {
			t.Fatalf("the total is %v, want %v", a.big(), want)
		}
		enc := a.append(nil)
		var again integer
		rd := reader{src: enc}
		again.read(&rd, 1<<20)
		if err := rd.end(); err != nil || again.big().Cmp(want) != 0 || !bytes.Equal(again.append(nil), enc) {
			t.Fatalf("%v is read as %v, %v", want, again.big(), err)
		}
		if !bytes.Equal(bytesOf(want), a.appendBytes(nil)) {
			t.Fatalf("%v is %x, and %x", want, bytesOf(want), a.appendBytes(nil))
		}
	}
}

package reconcile

import (
	"crypto/sha256"
	"testing"
)

// The root is that of RFC 6962: checked against a plain definition, and different for every other order, output or hour.
func TestMerkle(t *testing.T) {
	leaf := func(n byte) (s [32]byte) { s[0] = n; return s }
	node := func(a, b [32]byte) [32]byte { return sha256.Sum256(append(append([]byte{1}, a[:]...), b[:]...)) }
	a, b, c := leaf(1), leaf(2), leaf(3)
	if got := merkleRoot([][32]byte{a, b, c}); got != node(node(a, b), c) {
		t.Error("three leaves")
	}
	five := [][32]byte{a, b, c, a, b}
	if got := merkleRoot(five); got != node(node(node(a, b), node(c, a)), b) {
		t.Error("five leaves")
	}
	if merkleRoot(nil) != sha256.Sum256(nil) {
		t.Error("no leaves")
	}
	seen := map[[32]byte]string{}
	for _, x := range []struct {
		name string
		add  func(*merkle)
	}{
		{"one", func(m *merkle) { m.add("a", 0, a) }},
		{"another output", func(m *merkle) { m.add("b", 0, a) }},
		{"another hour", func(m *merkle) { m.add("a", hourMs, a) }},
		{"other rows", func(m *merkle) { m.add("a", 0, b) }},
		{"two", func(m *merkle) { m.add("a", 0, a); m.add("a", hourMs, b) }},
		{"two, the other way", func(m *merkle) { m.add("a", hourMs, b); m.add("a", 0, a) }},
	} {
		m := &merkle{}
		x.add(m)
		if other, ok := seen[m.root()]; ok {
			t.Errorf("%q has the root of %q", x.name, other)
		}
		seen[m.root()] = x.name
	}
}

package damage_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// mutation is a change of what is at rest.
type mutation struct {
	how  string
	kind kind
	to   rest // contents by path, nil: removed
	// older: what is there is what was there before, all of it below one place. It needs no original put back.
	older bool
}

// String is the mutation for people.
func (m *mutation) String() string {
	return fmt.Sprintf("%s: %s: %s", m.how, m.kind, strings.Join(m.to.paths(), ", "))
}

// mutate draws a change of what is at rest. before is what was at rest some runs ago.
func mutate(r *rand.Rand, at, before rest) *mutation {
	for {
		var m *mutation
		if r.IntN(12) == 0 {
			m = rollBack(r, at, before)
		} else {
			m = mutateOne(r, at, before)
		}
		if m != nil && m.changes(at) {
			return m
		}
	}
}

func (m *mutation) changes(at rest) bool {
	for p, data := range m.to {
		if was, ok := at[p]; !ok || data == nil || !bytes.Equal(was, data) {
			return true
		}
	}
	return false
}

func mutateOne(r *rand.Rand, at, before rest) *mutation {
	byKind := at.byKind()
	kinds := slices.Sorted(maps.Keys(byKind))
	k := kinds[r.IntN(len(kinds))]
	name := byKind[k][r.IntN(len(byKind[k]))]
	m := &mutation{kind: k, to: rest{}}
	data := bytes.Clone(at[name])
	switch how := r.IntN(20); {
	case how < 2:
		m.how, m.to[name] = "removed", nil
	case how < 4:
		other := pick(r, at.siblings(name))
		if other == "" {
			return nil
		}
		m.how = "swapped"
		m.to[name], m.to[other] = at[other], at[name]
	case how < 6:
		other := pick(r, at.siblings(name))
		if other == "" {
			return nil
		}
		m.how, m.to[name] = "another's contents, of "+other+",", at[other]
	case how < 7:
		if before[name] == nil {
			return nil
		}
		m.how, m.to[name] = "its older self", before[name]
	default:
		m.how, m.to[name] = mutateBytes(r, data)
	}
	return m
}

func pick(r *rand.Rand, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[r.IntN(len(list))]
}

// mutateBytes alters the contents of one thing.
func mutateBytes(r *rand.Rand, data []byte) (how string, _ []byte) {
	if len(data) == 0 {
		return "extended by a byte", []byte{byte(r.Uint32())}
	}
	at := r.IntN(len(data))
	if data[0] == '{' && r.IntN(3) == 0 {
		if how, other := mutateText(r, data); how != "" {
			return how, other
		}
	}
	switch r.IntN(10) {
	case 0:
		return fmt.Sprintf("cut at %d of %d", at, len(data)), data[:at]
	case 1:
		return "emptied", []byte{}
	case 2:
		return "doubled", append(data, data...)
	case 3:
		n := 1 + r.IntN(40)
		for range n {
			data = append(data, byte(r.Uint32()))
		}
		return fmt.Sprintf("extended by %d bytes", n), data
	case 4:
		n := min(1+r.IntN(4096), len(data)-at)
		clear(data[at : at+n])
		return fmt.Sprintf("%d zeroes at %d of %d", n, at, len(data)), data
	case 5:
		n := min(1+r.IntN(64), len(data)-at)
		for i := range n {
			data[at+i] = byte(r.Uint32())
		}
		return fmt.Sprintf("%d other bytes at %d of %d", n, at, len(data)), data
	case 6:
		return fmt.Sprintf("a byte missing at %d of %d", at, len(data)), slices.Delete(data, at, at+1)
	}
	bit := byte(1) << r.IntN(8)
	data[at] ^= bit
	return fmt.Sprintf("bit %02x at %d of %d", bit, at, len(data)), data
}

// mutateText alters a digit or a letter of a JSON document, which stays one: of bytes that somebody meddled with.
func mutateText(r *rand.Rand, data []byte) (how string, _ []byte) {
	for range 100 {
		at := r.IntN(len(data))
		was := data[at]
		switch {
		case was >= '1' && was <= '8', was >= 'a' && was < 'z':
			data[at]++
		default:
			continue
		}
		return fmt.Sprintf("%q for %q at %d of %d", data[at], was, at, len(data)), data
	}
	return "", data
}

// places are what may be put back from a backup as a whole.
var places = []string{
	"/state/", "/state/shape/a/0/", "/state/shape/a/1/", "checkpoints/", "checkpoints/shape/0/", "raw/clicks/", "raw/clicks/_log/", "raw/clicks/_log/0/",
	"raw/shape-journal/", "raw/", "reconcile/",
}

// rollBack puts an older self of a whole place there, or the state of one task in the place of another's.
func rollBack(r *rand.Rand, at, before rest) *mutation {
	if r.IntN(6) == 0 {
		return exchange(at, "/state/shape/a/0/", "/state/shape/a/1/")
	}
	place := places[r.IntN(len(places))]
	m := &mutation{how: "all older", kind: kind(place), to: rest{}, older: true}
	for _, p := range at.below(place) {
		m.to[p] = nil
	}
	for _, p := range before.below(place) {
		m.to[p] = before[p]
	}
	return m
}

// exchange swaps what lies below two prefixes.
func exchange(at rest, a, b string) *mutation {
	m := &mutation{how: "two tasks' exchanged", kind: kind(a), to: rest{}}
	for _, p := range append(at.below(a), at.below(b)...) {
		m.to[p] = nil
	}
	for _, p := range at.below(a) {
		m.to[b+strings.TrimPrefix(p, a)] = at[p]
	}
	for _, p := range at.below(b) {
		m.to[a+strings.TrimPrefix(p, b)] = at[p]
	}
	return m
}

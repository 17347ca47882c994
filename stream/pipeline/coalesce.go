package pipeline

import (
	"strings"

	"github.com/tidemark-io/tidemark/schema/expr"
)

// coalesced gives the fields of an expression that is the first of them that isn't null: a field, a let that is such an
// expression, or x != null ? x : such an expression. It is empty for others.
func (b *builder) coalesced(text string, depth int) []string {
	text = unwrapped(text)
	if depth > expr.MaxLetDepth {
		return nil
	}
	if isPath(text) {
		for _, l := range b.p.Let {
			if l.Name == text {
				return b.coalesced(l.Expr, depth+1)
			}
		}
		return []string{text}
	}
	cond, then, other, ok := conditional(text)
	if !ok {
		return nil
	}
	op := "!="
	if !strings.Contains(cond, op) {
		op, then, other = "==", other, then
	}
	x, null, ok := strings.Cut(cond, op)
	if x, null = unwrapped(x), unwrapped(null); x == "null" {
		x, null = null, x
	}
	if !ok || null != "null" || !isPath(x) || unwrapped(then) != x {
		return nil
	}
	first, rest := b.coalesced(x, depth+1), b.coalesced(other, depth+1)
	if len(first) == 0 || len(rest) == 0 {
		return nil
	}
	return append(first, rest...)
}

// conditional cuts cond ? then : other at its outermost marks.
func conditional(text string) (cond, then, other string, ok bool) {
	question, nested := -1, 0
	for i, c := range outer(text, 0, len(text)) {
		switch {
		case c == '?' && question < 0:
			question = i
		case c == '?':
			nested++
		case c == ':' && question >= 0 && nested > 0:
			nested--
		case c == ':' && question >= 0:
			return text[:question], text[question+1 : i], text[i+1:], true
		}
	}
	return "", "", "", false
}

// unwrapped is the text without spaces and brackets around it.
func unwrapped(text string) string {
	for {
		text = strings.TrimSpace(text)
		if !strings.HasPrefix(text, "(") {
			return text
		}
		if closing, fault := closingBracket(text, 0); fault != nil || closing != len(text)-1 {
			return text
		}
		text = text[1 : len(text)-1]
	}
}

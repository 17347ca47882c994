package expr

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

// keptText bounds the buffer for texts that an Eval keeps from event to event.
const keptText = 64 << 10

// concat joins two texts in the event's buffer.
func concat(na, nb node) reader[[]byte] {
	a, b, aNull, bNull := na.texts, nb.texts, na.isNull(), nb.isNull()
	return func(r *run) ([]byte, state) {
		x, s := a(r)
		if s != valid {
			return nil, r.need(s, aNull)
		}
		y, s := b(r)
		if s != valid {
			return nil, r.need(s, bNull)
		}
		return r.made(append(append(r.text, x...), y...)), valid
	}
}

// made gives what was appended to run.text and keeps it from being overwritten
// by the next text of this event.
func (r *run) made(text []byte) []byte {
	start := len(r.text)
	r.text = text
	return text[start:len(text):len(text)]
}

// texts builds startsWith, endsWith, contains, matches and size.
func texts(name string, args []node) (node, bool) {
	a := args[0]
	if name == "size" && len(args) == 1 {
		switch a.kind {
		case kindString:
			return intNode(unary(a, a.texts, func(s []byte) (int64, *fault) { return int64(utf8.RuneCount(s)), nil })), true
		case kindBytes:
			return intNode(unary(a, a.texts, func(s []byte) (int64, *fault) { return int64(len(s)), nil })), true
		}
	}
	if len(args) != 2 || a.kind != kindString || args[1].kind != kindString {
		return node{}, false
	}
	test, ok := textTests[name]
	if !ok {
		return node{}, false
	}
	return boolNode(textTest(a, args[1], test)), true
}

var textTests = map[string]func(s, part []byte) bool{
	"startsWith": bytes.HasPrefix,
	"endsWith":   bytes.HasSuffix,
	"contains":   bytes.Contains,
}

func textTest(na, nb node, test func(s, part []byte) bool) reader[bool] {
	a, b, aNull, bNull := na.texts, nb.texts, na.isNull(), nb.isNull()
	return func(r *run) (bool, state) {
		x, s := a(r)
		if s != valid {
			return false, r.need(s, aNull)
		}
		y, s := b(r)
		if s != valid {
			return false, r.need(s, bNull)
		}
		return test(x, y), valid
	}
}

// matches builds a search for a constant pattern.
func matches(args []node) (node, error) {
	if len(args) != 2 || args[0].kind != kindString || args[1].kind != kindString {
		return node{}, unsupported("matches() of such arguments")
	}
	if !args[1].constant {
		return node{}, unsupported("matches() with a pattern that is no constant")
	}
	pattern, s := args[1].texts(&run{})
	if s != valid {
		return node{}, unsupported("matches() without a pattern")
	}
	re, err := regexp.Compile(string(pattern))
	if err != nil {
		return node{}, unsupported("matches() with a pattern that does not parse")
	}
	a := args[0]
	return boolNode(unary(a, a.texts, func(s []byte) (bool, *fault) { return re.Match(s), nil })), nil
}

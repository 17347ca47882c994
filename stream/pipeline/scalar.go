package pipeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/tidemark-io/tidemark/schema"
)

// raw is a scalar as written, if the node is one.
func raw(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true
		}
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// scalar gives a key's value as written, whatever its YAML type. ok is false if it isn't there or has a fault.
func (m *mapping) scalar(key, want string) (path, text string, ok bool) {
	path, n := m.take(key)
	if n == nil {
		return path, "", false
	}
	m.l.p.places[path] = placeOf(n)
	text, ok = raw(n)
	switch {
	case !ok:
		m.l.faults.add(path, complain("write "+want, "must be %s, not %s", want, describe(n)))
	case strings.TrimSpace(text) == "":
		m.l.faults.add(path, complain("write "+want+", or leave the key out", "is empty"))
		ok = false
	}
	return path, text, ok
}

// text reads text in which nothing is substituted.
func (m *mapping) text(key string, into *string) {
	path, n := m.take(key)
	if n != nil {
		if text, ok := m.l.text(path, n); ok {
			*into = text
		}
	}
}

func (l *loader) text(path string, n ast.Node) (string, bool) {
	if n = l.plain(path, n); n == nil {
		return "", false
	}
	l.p.places[path] = placeOf(n)
	text, ok := raw(n)
	switch {
	case !ok:
		l.faults.add(path, complain("write one name or word", "must be text, not %s", describe(n)))
	case describe(n) != "text":
		l.faults.add(path, complain("put quotes around it if it is meant as text", "must be text, not %s", describe(n)))
		ok = false
	case text == "":
		l.faults.add(path, complain("give it a value, or leave the key out", "is empty"))
		ok = false
	case strings.Contains(text, "${"):
		l.faults.add(path, complain("write the value itself: what decides results must stand in the file", "${...} is only for addresses and secrets"))
		ok = false
	}
	if !ok {
		return "", false
	}
	return text, true
}

// choice reads one of a few words.
func (m *mapping) choice(key string, into *string, words ...string) {
	m.choiceElse(key, into, nil, words...)
}

// choiceElse is choice with words that are refused for a reason of their own.
func (m *mapping) choiceElse(key string, into *string, refused map[string]*complaint, words ...string) {
	if path, n := m.take(key); n != nil {
		m.l.word(path, n, into, refused, words...)
	}
}

// word reads one of a few words; refused are words that are refused for a reason of their own.
func (l *loader) word(path string, n ast.Node, into *string, refused map[string]*complaint, words ...string) {
	if l.asked != nil {
		l.asked(path, nil, words)
	}
	text, ok := l.text(path, n)
	if !ok {
		return
	}
	for _, w := range words {
		if text == w {
			*into = text
			return
		}
	}
	if c := refused[text]; c != nil {
		l.faults.add(path, c)
		return
	}
	l.faults.add(path, notOneOf(text, words))
}

func notOneOf(text string, words []string) *complaint {
	hint := "write " + strings.Join(words, " or ")
	if s := schema.Suggest(text, words); s != "" {
		hint = "did you mean " + s + "?"
	}
	return complain(hint, "%q is not known here", text)
}

// texts reads a list of texts; a single text counts as a list of one. Elements with a fault are empty, so that the
// others keep their places.
func (m *mapping) texts(key string, into *[]string, read func(path string, n ast.Node) (string, bool)) {
	path, n := m.take(key)
	if n == nil {
		return
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		if _, scalar := raw(n); !scalar {
			m.l.faults.add(path, complain("write [a, b]", "must be a list, not %s", describe(n)))
			return
		}
		if text, ok := read(path, n); ok {
			m.l.p.places[element(path, 0)] = placeOf(n)
			*into = m.l.oneName(path, text)
		}
		return
	}
	if len(list.Values) == 0 {
		m.l.faults.add(path, complain("name at least one, or leave the key out", "the list is empty"))
	}
	for i, v := range list.Values {
		text, _ := read(element(path, i), v)
		*into = append(*into, text)
	}
}

// oneName is the list of a text alone; several names with commas lack their brackets. Addresses may have commas.
func (l *loader) oneName(path, text string) []string {
	if l.p.hidden[path] != "" {
		return []string{text}
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		if parts[i] = strings.TrimSpace(parts[i]); !isPath(parts[i]) {
			return []string{text}
		}
	}
	if len(parts) > 1 {
		l.faults.add(path, complain("write a list: ["+strings.Join(parts, ", ")+"]", "%q is one text", text))
	}
	return parts
}

func (m *mapping) duration(key string, into *time.Duration) {
	path, text, ok := m.scalar(key, "a duration such as 30m")
	if !ok {
		return
	}
	d, c := parseDuration(text)
	if c != nil {
		m.l.faults.add(path, c)
		return
	}
	*into = d
}

func (m *mapping) size(key string, into *int64) {
	path, text, ok := m.scalar(key, "a size such as 64MiB")
	if !ok {
		return
	}
	n, c := parseSize(text)
	if c != nil {
		m.l.faults.add(path, c)
		return
	}
	*into = n
}

func (m *mapping) percent(key string) *float64 {
	path, text, ok := m.scalar(key, "a percentage such as 5%")
	if !ok {
		return nil
	}
	f, c := parsePercent(text)
	if c != nil {
		m.l.faults.add(path, c)
		return nil
	}
	return &f
}

// integer reads a whole number from min to max.
func (m *mapping) integer(key string, min, max int64) (n int64, ok bool) {
	path, text, ok := m.scalar(key, "a whole number")
	if !ok {
		return 0, false
	}
	n, c := parseInteger(text, min, max)
	if c != nil {
		m.l.faults.add(path, c)
		return 0, false
	}
	return n, true
}

func parseInteger(text string, min, max int64) (int64, *complaint) {
	span := "write a whole number from " + strconv.FormatInt(min, 10) + " to " + strconv.FormatInt(max, 10)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, complain(span, "%q is no whole number", text)
	}
	if n < min || n > max {
		return 0, complain(span, "%d is out of range", n)
	}
	return n, nil
}

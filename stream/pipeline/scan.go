package pipeline

import (
	"iter"
	"strings"
)

// namesIn lists the names, dotted ones with all their beginnings (a, a.b), that a CEL expression mentions outside of
// quotes and comments. It may list more than the expression reads (functions, methods, words of the language), never
// less: whoever uses it looks the names up.
func namesIn(text string) []string {
	var names []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\'' || c == '"':
			n := quoted(text, i)
			if n == 0 {
				return names
			}
			i += n
		case strings.HasPrefix(text[i:], "//"):
			line := strings.IndexByte(text[i:], '\n')
			if line < 0 {
				return names
			}
			i += line
		case isLetter(c) || c == '_':
			start := i
			for i < len(text) && isNamePart(text[i]) {
				i++
				if i+1 < len(text) && text[i] == '.' && (isLetter(text[i+1]) || text[i+1] == '_') {
					names = append(names, text[start:i])
					i++
				}
			}
			names = append(names, text[start:i])
		case c >= '0' && c <= '9':
			for i < len(text) && isNamePart(text[i]) { // 1e5, 0xff and 7u hold no names
				i++
			}
		default:
			i++
		}
	}
	return names
}

func isNamePart(c byte) bool { return isLetter(c) || c == '_' || c >= '0' && c <= '9' }

// isPath reports whether a text is one name, perhaps dotted, and no word of CEL such as true.
func isPath(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if !isName(part) || part == "true" || part == "false" || part == "null" {
			return false
		}
	}
	return true
}

// outer goes over the bytes of text[from:to] outside of brackets and quotes.
func outer(text string, from, to int) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		depth := 0
		for i := from; i < to; i++ {
			switch c := text[i]; c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			case '\'', '"':
				i += max(quoted(text, i), 1) - 1
			default:
				if depth == 0 && !yield(i, c) {
					return
				}
			}
		}
	}
}

// splitArguments cuts text[from:to] at its commas outside of brackets and quotes. There is always one part.
func splitArguments(text string, from, to int) (parts [][2]int) {
	begin := from
	for i, c := range outer(text, from, to) {
		if c == ',' {
			parts = append(parts, [2]int{begin, i})
			begin = i + 1
		}
	}
	return append(parts, [2]int{begin, to})
}

// closingBracket finds the bracket that closes the one at open, past the quotes of CEL.
func closingBracket(text string, open int) (int, *complaint) {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i, nil
			}
		case '\'', '"':
			n := quoted(text, i)
			if n == 0 {
				return 0, complain("close the quote", "a quote is never closed in %q", text)
			}
			i += n - 1
		}
	}
	return 0, complain("close the bracket", "a bracket is never closed in %q", text)
}

// quoted is the length of the CEL string literal whose quote stands at from, or 0 if it never ends. A prefix r, before
// the quote, makes backslashes mean nothing.
func quoted(text string, from int) int {
	raw := from > 0 && (text[from-1] == 'r' || text[from-1] == 'R')
	text = text[from:]
	mark := text[:1]
	if strings.HasPrefix(text, strings.Repeat(mark, 3)) {
		mark = text[:3]
	}
	for i := len(mark); i < len(text); i++ {
		if text[i] == '\\' && !raw {
			i++
		} else if strings.HasPrefix(text[i:], mark) {
			return i + len(mark)
		}
	}
	return 0
}

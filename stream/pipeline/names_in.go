package pipeline

import "strings"

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

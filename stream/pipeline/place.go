package pipeline

import (
	"strings"
	"unicode/utf8"
)

// position is a place in the pipeline file; line and column count from 1.
type position struct{ line, col int }

// placeIn is where a byte of a value stands in the file: exactly, if the value is written on one line or as a block
// of lines, and else where the value begins.
func (p *Pipeline) placeIn(path, value string, at int) position {
	start, ok := p.places[path]
	if !ok || start.line > len(p.lines) {
		return newFaultSet("", p.places).place(path)
	}
	before := value[:min(at, len(value))]
	line := strings.Count(before, "\n")
	col := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	source := []rune(p.lines[start.line-1])
	if start.col <= len(source) {
		rest := string(source[start.col-1:])
		first, _, _ := strings.Cut(value, "\n")
		switch {
		case line == 0 && strings.HasPrefix(rest, first) && first == value:
			return position{start.line, start.col + col}
		case line == 0 && (strings.HasPrefix(rest, `"`+value) || strings.HasPrefix(rest, `'`+value)):
			return position{start.line, start.col + 1 + col}
		case strings.HasPrefix(rest, "|"):
			return p.placeInBlock(start, value, line, col)
		}
	}
	return start
}

// placeInBlock is placeIn for a block of lines behind a |.
func (p *Pipeline) placeInBlock(start position, value string, line, col int) position {
	n := start.line + line // index of the source's line
	if n >= len(p.lines) {
		return start
	}
	want := strings.Split(value, "\n")[line]
	indent := strings.Index(p.lines[n], want)
	if indent < 0 {
		return start
	}
	return position{n + 1, utf8.RuneCountInString(p.lines[n][:indent]) + col + 1}
}

// offsetOf turns a line and column, in characters from 1, into bytes.
func offsetOf(text string, line, col int) int {
	from := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[from:], '\n')
		if i < 0 {
			break
		}
		from += i + 1
	}
	for ; col > 1 && from < len(text) && text[from] != '\n'; col-- {
		_, n := utf8.DecodeRuneInString(text[from:])
		from += n
	}
	return from
}

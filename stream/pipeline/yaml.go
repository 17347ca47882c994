package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a pipeline file. The YAML parser needs time and memory beyond proportion for many keys and deep nesting, so
// these keep any file within a second or so and some MiB.
const (
	fileBytesMax = 64 << 10
	linesMax     = 2000
	lineBytesMax = 4 << 10
	nestingMax   = 32
)

const syntaxHint = "check the indentation, and put quotes around text that holds any of : # { } [ ] , & * ! | > ' \" % @"

// parseFile makes the syntax tree of a file's only document. A nil node goes with a fault.
func parseFile(text []byte, fs *faultSet) ast.Node {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	if pos, c := checkText(text); c != nil {
		fs.addAt(pos, "", c)
		return nil
	}
	file, err := parseYAML(text)
	if err != nil {
		pos, msg := position{1, 1}, err.Error()
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) {
			msg = syntax.Message
			if t := syntax.Token; t != nil && t.Position != nil {
				pos = position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
			}
		}
		hint := syntaxHint
		lines := strings.Split(string(text), "\n")
		switch {
		case pos.line <= len(lines) && strings.Contains(lines[pos.line-1], "${"):
			hint = `put quotes around what holds ${...}: "${NAME}"`
		case pos.line <= len(lines) && doubleColon.MatchString(lines[pos.line-1]):
			hint = "put braces around what follows the first colon: " + doubleColon.ReplaceAllString(strings.TrimRight(lines[pos.line-1], " \r"), "$1: {$2}")
		case strings.Contains(msg, "must be specified"), strings.Contains(msg, "not found"), strings.Contains(msg, "end character"):
			hint = "close the bracket or quote that was opened here or above"
		}
		fs.addAt(pos, "", complain(hint, "not YAML: %s", msg))
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc == nil || doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if doc.Body.Type() == ast.DirectiveType {
			fs.addAt(placeOf(doc.Body), "", complain("take the line that begins with % out", "YAML directives are not used here"))
			return nil
		}
		if body != nil {
			fs.addAt(placeOf(doc.Body), "", complain("one file holds one pipeline; put the other into a file of its own", "a second document begins here"))
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		fs.addAt(position{1, 1}, "", complain("begin with apiVersion: tidemark/v1", "the file is empty"))
	}
	return body
}

// doubleColon is a line with a key in the value of a key, as in emit: on_update: 10s.
var doubleColon = regexp.MustCompile(`^[ -]*(\w+): +(\w+: +[\w "'%.-]+)$`)

// parseYAML is the YAML library, with its panics turned into errors: a file must never stop the process.
func parseYAML(text []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, fmt.Errorf("the YAML parser gave up on it: %v", r)
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
}

// checkText refuses what is no text, or beyond the limits.
func checkText(text []byte) (position, *complaint) {
	if len(text) > fileBytesMax {
		return position{1, 1}, complain("a pipeline file holds settings only; keep data and schemas in files of their own",
			"the file has %d bytes, more than %d", len(text), fileBytesMax)
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return position{1, 1}, complain("save it as UTF-8", "the file is UTF-16 text")
	}
	if !utf8.Valid(text) {
		return position{1, 1}, complain("save it as UTF-8", "the file is not UTF-8 text")
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) > linesMax {
		return position{linesMax + 1, 1}, complain("a pipeline file holds settings only; split the pipeline in two if it has so many outputs",
			"the file has %d lines, more than %d", len(lines), linesMax)
	}
	depth := 0
	for i, line := range lines {
		if len(line) > lineBytesMax {
			return position{i + 1, 1}, complain("break it: lists and mappings can take a line for each element",
				"the line has %d bytes, more than %d", len(line), lineBytesMax)
		}
		if pos, c := invisible(line, i+1); c != nil {
			return pos, c
		}
		for j, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			case 0:
				return position{i + 1, j + 1}, complain("save it as UTF-8 text", "the file holds a zero byte")
			}
			if depth > nestingMax {
				return position{i + 1, j + 1}, complain("close brackets that were opened", "brackets are nested deeper than %d", nestingMax)
			}
		}
	}
	return position{}, nil
}

// byteOrderMark is what some editors put before the text. At the beginning of the file it means nothing.
const byteOrderMark = "\ufeff"

// invisible refuses characters that look like nothing or like a space and come along when text is copied from pages
// and chats. Comments may hold them.
func invisible(line string, number int) (position, *complaint) {
	code, _, _ := strings.Cut(line, " #")
	for i, r := range code {
		name := ""
		switch r {
		case '\ufeff':
			name = "byte order mark"
		case '\u00a0', '\u202f', '\u2007':
			name = "no-break space"
		case '\u200b', '\u200c', '\u200d', '\u2060', '\u00ad':
			name = "character without width"
		case '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069':
			name = "mark of writing direction"
		default:
			continue
		}
		return position{number, utf8.RuneCountInString(code[:i]) + 1}, complain("delete it, or type a plain space; in an expression's text it can be written as an escape",
			"an invisible character stands here: a %s, U+%04X", name, r)
	}
	return position{}, nil
}

// placeOf is where a node begins. For a mapping that is its first key, not the colon behind it.
func placeOf(n ast.Node) position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return placeOf(n.Values[0])
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return position{1, 1}
	}
	p := n.GetToken().Position
	return position{max(p.Line, 1), max(p.Column, 1)}
}

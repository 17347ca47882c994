package pipeline

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// secretBytesMax limits a file that ${file:...} names.
const secretBytesMax = 64 << 10

// address reads text in which ${ENV} and ${file:/path} are replaced. Where they are, faults must not show the text, and
// name what was written instead (Pipeline.hidden).
func (l *loader) address(path string, n ast.Node) (string, bool) {
	if n = l.plain(path, n); n == nil {
		return "", false
	}
	l.p.places[path] = placeOf(n)
	text, ok := raw(n)
	if !ok {
		text, ok = hostPort(n)
	}
	if !ok {
		l.faults.add(path, complain("write it as text", "must be text, not %s", describe(n)))
		return "", false
	}
	value, c := l.substitute(text)
	if c == nil && value == "" {
		c = complain("give it a value", "is empty")
	}
	if c != nil {
		l.faults.add(path, c)
		return "", false
	}
	if value != text {
		l.p.hidden[path] = text
	}
	return value, true
}

// hostPort puts together what the YAML library wrongly takes apart: in a list within brackets within braces it reads
// localhost:9092, without a space behind the colon, as a mapping.
func hostPort(n ast.Node) (string, bool) {
	m, ok := n.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) != 1 {
		return "", false
	}
	key, isText := m.Values[0].Key.(*ast.StringNode)
	value, isScalar := raw(m.Values[0].Value)
	if !isText || !isScalar {
		return "", false
	}
	from, to := placeOf(key), placeOf(m.Values[0].Value)
	if from.line != to.line || from.col+utf8.RuneCountInString(key.Value)+1 != to.col {
		return "", false
	}
	return key.Value + ":" + value, true
}

// secret reads a text that must come from outside the file.
func (l *loader) secret(path string, n ast.Node) (Secret, bool) {
	if text, ok := raw(n); ok && !(strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}")) {
		l.p.places[path] = placeOf(n)
		l.faults.add(path, complain("write ${NAME} for an environment variable or ${file:/path} for a file", "a secret must not stand in the file"))
		return "", false
	}
	text, ok := l.address(path, n)
	return Secret(text), ok
}

// substitute replaces each ${...}. Complaints name variables and files, never what they hold.
func (l *loader) substitute(text string) (string, *complaint) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", complain("write ${NAME} or ${file:/path}", "a ${ is never closed")
		}
		value, c := l.lookup(name)
		if c != nil {
			return "", c
		}
		b.WriteString(value)
		text = after
	}
}

func (l *loader) lookup(name string) (string, *complaint) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return l.readSecret(path)
	}
	for i, c := range name {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return "", complain("write ${NAME} for an environment variable or ${file:/path} for a file; there are no defaults or other forms", "${%s} names no environment variable", name)
		}
	}
	if name == "" {
		return "", complain("write ${NAME} or ${file:/path}", "${} names nothing")
	}
	value, ok := l.env(name)
	if !ok {
		return "", complain("export it before starting, or use ${file:/path}", "the environment variable %s is not set", name)
	}
	if value == "" {
		return "", complain("give it a value before starting", "the environment variable %s is empty", name)
	}
	return value, nil
}

// readSecret reads a file and takes one line end off, which editors put there.
func (l *loader) readSecret(path string) (string, *complaint) {
	if !filepath.IsAbs(path) {
		return "", complain("write the path from the root, as in ${file:/run/secrets/kafka}", "${file:%s} has no absolute path", path)
	}
	text, err := readLimited(path, secretBytesMax)
	if err != nil {
		return "", complain("check that the file is there and may be read", "${file:%s}: %v", path, err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if value == "" {
		return "", complain("write the value into it", "${file:%s}: the file is empty", path)
	}
	return value, nil
}

// readLimited reads a whole file of at most max bytes. The errors don't repeat the path.
func readLimited(path string, max int64) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer func() {
		if cerr := f.Close(); cerr != nil && err == nil {
			text, err = nil, bare(cerr)
		}
	}()
	text, err = io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, bare(err)
	}
	if int64(len(text)) > max {
		return nil, fmt.Errorf("the file has more than %d bytes", max)
	}
	return text, nil
}

// bare takes operation and path off an error of package os.
func bare(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}

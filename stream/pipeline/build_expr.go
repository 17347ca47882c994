package pipeline

import (
	"errors"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
)

// celWords can't name a let: they are words or types of CEL.
var celWords = []string{"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if",
	"import", "let", "loop", "package", "namespace", "return", "var", "void", "while", "bool", "bytes", "double", "duration",
	"dyn", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint"}

// buildLets compiles the lets in the order of the file; each may use those before it.
func (b *builder) buildLets() {
	for i, l := range b.p.Let {
		path := "let." + l.Name
		var prog *expr.Program
		ok := false
		if c := b.checkLetName(i); c != nil {
			b.fs.addKey(path, c)
		} else if b.fs.clean(path) {
			prog, ok = b.let(path, i)
		}
		if !ok {
			b.broken[l.Name] = true
			continue
		}
		b.env.Lets[l.Name] = prog
		b.names = append(b.names, l.Name)
	}
}

func (b *builder) checkLetName(i int) *complaint {
	name := b.p.Let[i].Name
	switch {
	case !isName(name):
		return complain("use letters, digits and underscores, and no digit first", "%q is no legal name", name)
	case slices.Contains(celWords, name):
		return complain("choose another name", "%q is a word of the expression language", name)
	case slices.ContainsFunc(b.p.Let[:i], func(l Let) bool { return l.Name == name }):
		return complain("keep one of them", "%q is defined twice", name)
	}
	if _, err := b.lookup(name); err == nil {
		return complain("choose another name, so that it is clear which is meant", "%q is the name of a field", name)
	}
	if _, ok := b.env.Functions[name]; ok {
		return complain("choose another name, so that it is clear which is meant", "%q is the name of a function", name)
	}
	return nil
}

func (b *builder) let(path string, i int) (*expr.Program, bool) {
	text := b.p.Let[i].Expr
	for _, name := range namesIn(text) {
		if _, field := b.env.Fields[name]; field || b.env.Lets[name] != nil || b.broken[name] || b.sourceNamed(name) >= 0 {
			continue
		}
		if slices.ContainsFunc(b.p.Let[i:], func(l Let) bool { return l.Name == name }) {
			hint := "move " + name + " above it"
			if name == b.p.Let[i].Name {
				hint = "a let can't use itself"
			}
			b.fs.add(path, complain(hint, "%s is not defined yet", name))
			return nil, false
		}
	}
	trimmed := strings.TrimSpace(text)
	return b.operand(path, text, trimmed, strings.Index(text, trimmed))
}

// operand compiles an expression that stands at a place of a value of the file; often it is a field or let alone.
func (b *builder) operand(path, value, text string, at int) (*expr.Program, bool) {
	if text == "" || !b.fs.clean(path) {
		return nil, false
	}
	for _, name := range namesIn(text) {
		if b.broken[name] { // its fault has been reported, and the rest would follow from it
			b.fs.silence(path)
			return nil, false
		}
	}
	if isPath(text) {
		if c := b.alone(text); c != nil {
			b.fs.addAt(b.p.placeIn(path, value, at), path, c)
			return nil, false
		}
	}
	prog, err := expr.Compile(text, b.env)
	if err != nil {
		b.exprFaults(path, value, at, err)
		return nil, false
	}
	return prog, true
}

// alone complains of a name that stands alone and is no let and no plain field.
func (b *builder) alone(name string) *complaint {
	if b.env.Lets[name] != nil {
		return nil
	}
	t, err := b.lookup(name)
	switch {
	case err != nil:
		return complain(b.meant(name), "there is no field or let %s", name)
	case t.Kind == schema.KindNull:
		return complain("name a plain field; one within a record is record.field", "%s is %s, which can't be read as one value", name, a(t))
	}
	return nil
}

// meant is the hint for a field or let that isn't there.
func (b *builder) meant(name string) string {
	if b.sources[0].name != "" && !strings.Contains(name, ".") {
		for _, s := range b.sources {
			if slices.Contains(s.paths(), name) {
				return "write " + s.name + "." + name + ": with several sources a field has its source's name before it"
			}
		}
	}
	return didYouMean(name, b.names)
}

// exprFaults reports all faults of an expression at their own places. at is where the expression begins in value.
func (b *builder) exprFaults(path, value string, at int, err error) {
	if !b.fs.clean(path) {
		return
	}
	b.fs.silence(path)
	var joined interface{ Unwrap() []error }
	errs := []error{err}
	if errors.As(err, &joined) {
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		pos, msg, hint := b.p.placeIn(path, value, at), err.Error(), ""
		var e *expr.Error
		if errors.As(err, &e) {
			msg, hint = e.Msg, e.Hint
			pos = b.p.placeIn(path, value, at+offsetOf(value[at:], e.Line, e.Column))
		}
		if hint == "" {
			hint = "expressions are written in CEL, as in delay != null && delay > 60.0"
		}
		b.fs.list = append(b.fs.list, Fault{File: b.fs.file, Line: pos.line, Col: pos.col, Path: path, Msg: msg, Hint: hint})
	}
}

package expr

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// plan finds out whether the expression can be compiled, by doing it once for
// rows that don't matter.
func (p *Program) plan() error {
	_, err := p.nodes(func(name string) (node, error) {
		if t, ok := p.direct[name]; ok {
			return fieldNode(name, 0, t)
		}
		if let, ok := p.lets[name]; ok {
			return letNode(name, &Eval{program: let})
		}
		return node{}, unsupported("the name " + name)
	})
	var what unsupported
	if errors.As(err, &what) {
		p.slow = string(what)
		return nil
	}
	return err
}

// nodes compiles the expression with names bound to rows and lets.
func (p *Program) nodes(name func(string) (node, error)) (node, error) {
	b := &builder{tree: p.tree, name: name, functions: p.calls}
	n, err := b.build(p.tree.Expr())
	if err == nil && !n.storable() {
		return n, unsupported("a result that is " + n.kind.String())
	}
	return n, err
}

// Interpreted reports that the expression runs in cel-go's evaluator, which
// costs several hundred nanoseconds an event, and not as compiled closures.
// Lets that it names are judged on their own.
func (p *Program) Interpreted() bool { return p.slow != "" }

// Cost says in a few words how the expression is evaluated: "reads a field",
// "compiled", or "interpreted (slow): uses ..." with the first thing that is not
// compiled.
func (p *Program) Cost() string {
	switch {
	case p.plain != "":
		return "reads a field"
	case p.Interpreted():
		return "interpreted (slow): uses " + p.slow
	}
	var slow []string
	for _, name := range slices.Sorted(maps.Keys(p.lets)) {
		if p.lets[name].Interpreted() {
			slow = append(slow, name)
		}
	}
	if len(slow) > 0 {
		return "compiled; slow, as it reads the interpreted " + strings.Join(slow, ", ")
	}
	return "compiled"
}

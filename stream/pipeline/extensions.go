package pipeline

import (
	"slices"

	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/aggregates"
)

// extend collects the aggregates and functions that the file can call: those built in and the program's own, none of
// which may take the name of another.
func (b *builder) extend() {
	b.definitions = make(map[string]window.Definition)
	for _, d := range aggregates.Definitions() {
		b.definitions[d.Name] = d
	}
	ext := &b.p.Extensions
	for _, d := range ext.Aggregates {
		_, builtIn := b.definitions[d.Name]
		switch {
		case !isName(d.Name) || slices.Contains(celWords, d.Name):
			b.fs.add("", complain("use letters, digits and underscores, and no digit first", "Extensions.Aggregates: %q is no legal name", d.Name))
		case words[d.Name] != 0 || builtIn:
			b.fs.add("", complain("give it another name", "Extensions.Aggregates: there is an aggregate %q already", d.Name))
		case d.New == nil:
			b.fs.add("", complain("set Definition.New", "Extensions.Aggregates: %s can't be made", d.Name))
		default:
			b.definitions[d.Name] = d
		}
	}
	b.env.Functions = ext.Functions
}

// functionNames are the names of all aggregates, sorted.
func (b *builder) functionNames() []string {
	var names []string
	for name := range words {
		names = append(names, name)
	}
	for name := range b.definitions {
		if words[name] == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

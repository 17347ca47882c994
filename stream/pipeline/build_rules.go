package pipeline

import (
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
)

// builtRule is a compiled rule.
type builtRule struct {
	name    string
	program *expr.Program
	expect  bool   // it fires where the condition isn't met
	then    string // RuleFilter, RuleQuarantine or RuleCount
	text    string
}

// buildRules compiles the rules in the order of the file. What is missing has been said by check.
func (b *builder) buildRules() {
	for i := range b.p.Rules {
		r := &b.p.Rules[i]
		path, text, then := element("rules", i)+".when", r.When, r.Then
		if r.Expect != "" {
			path, text, then = element("rules", i)+".expect", r.Expect, r.Else
		}
		if text == "" {
			continue
		}
		trimmed := strings.TrimSpace(text)
		prog, ok := b.operand(path, text, trimmed, strings.Index(text, trimmed))
		if !ok {
			continue
		}
		if t := prog.Type(); t.Kind != schema.KindBool {
			b.fs.add(path, complain("compare, as in price > 0", "a rule needs a condition, not %s", a(t)))
			continue
		}
		b.rules = append(b.rules, builtRule{name: r.Name, program: prog, expect: r.Expect != "", then: then, text: trimmed})
	}
}

package pipeline

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
)

const rulesForm = "write a list, as in - {name: known, expect: \"origin != ''\", else: quarantine}"

// rules reads the list of rules.
func (l *loader) rules(m *mapping) {
	m.list("rules", rulesForm, rulesForm+", or leave the key out", func(at string, i int, n ast.Node) {
		l.p.Rules = append(l.p.Rules, Rule{})
		if m := l.mappingAs(at, n, "write {name: n, when: condition, then: filter} or {name: n, expect: condition, else: quarantine}"); m != nil {
			l.rule(m, &l.p.Rules[i])
			m.done()
		}
	})
}

func (l *loader) rule(m *mapping, r *Rule) {
	m.text("name", &r.Name)
	for _, e := range []struct {
		key  string
		into *string
	}{{"when", &r.When}, {"expect", &r.Expect}} {
		if path, text, ok := m.scalar(e.key, "a condition such as distance > 0"); ok {
			*e.into = text
		} else if m.has(e.key) {
			l.faults.silence(path)
		}
	}
	const opposite = "an event that is bad is one that does not meet what is expected: write expect with the opposite condition, and else"
	m.choiceElse("then", &r.Then, map[string]*complaint{
		RuleQuarantine: complain(opposite+": quarantine", "then can't quarantine"),
		RuleCount:      complain(opposite+": count", "then can't count"),
		"drop":         complain("write then: filter; filtered events are counted by the rule's name, and stay in the lake", `"drop" is not known here`),
		"keep":         complain("write when with the opposite condition, and then: filter", "then can't keep"),
	}, RuleFilter)
	m.choiceElse("else", &r.Else, map[string]*complaint{
		"drop": complain("write else: filter to leave such events out, or quarantine to count them as invalid", `"drop" is not known here`),
		"fail": complain("write else: quarantine: one bad event must not stop the pipeline", "failing on an event is not offered"),
		"dlq":  complain("write else: quarantine: the journal names each such event, and the lake keeps its bytes", `"dlq" is not known here`),
		"warn": complain("write else: count", `"warn" is not known here`),
	}, RuleQuarantine, RuleCount, RuleFilter)
	m.instead("when", "if", "filter", "where")
	m.instead("expect", "check", "assert", "require", "expr", "condition", "expectation")
	m.instead("then", "action", "do")
	m.instead("else", "otherwise", "on_fail", "on_failure", "or_else")
	m.refuse("else says what happens: quarantine, count or filter", "severity", "level")
	if !m.has("when") && !m.has("expect") && !(l.faults.clean(join(m.path, "when")) && l.faults.clean(join(m.path, "expect"))) {
		l.faults.silence(m.path) // what stands in the condition's place has been refused
	}
}

// has reports whether a key stands in the file.
func (m *mapping) has(key string) bool {
	return slices.ContainsFunc(m.entries, func(e entry) bool { return e.key == key })
}

package pipeline

import (
	"strings"
)

// ruleNameMax is the longest name of a rule, which becomes the label of a metric.
const ruleNameMax = 64

// checkRules checks the form of the rules. Their conditions are compiled later.
func (p *Pipeline) checkRules(fs *faultSet) {
	if len(p.Rules) > rulesMax {
		fs.add(element("rules", rulesMax), complain("put conditions together with && and ||, or split the pipeline in two", "a pipeline has at most %d rules, not %d", rulesMax, len(p.Rules)))
	}
	first := make(map[string]int)
	for i := range p.Rules {
		r, path := &p.Rules[i], element("rules", i)
		fs.required(path+".name", r.Name == "", "name the rule: events are counted by the name")
		if c := ruleName(r.Name); c != nil {
			fs.add(path+".name", c)
		} else if _, twice := first[r.Name]; twice && r.Name != "" {
			fs.add(path+".name", complain("give each rule a name of its own", "another rule is named %q", r.Name))
		}
		first[r.Name] = i
		p.checkRuleForm(fs, path, r)
	}
}

func (p *Pipeline) checkRuleForm(fs *faultSet, path string, r *Rule) {
	when, expect := r.When != "" || p.given(path+".when"), r.Expect != "" || p.given(path+".expect")
	then, otherwise := r.Then != "" || p.given(path+".then"), r.Else != "" || p.given(path+".else")
	switch {
	case when && expect:
		fs.add(path, complain("write two rules: one with when and then, one with expect and else", "has both when and expect"))
	case !when && !expect:
		fs.add(path, complain("write when: condition and then: filter, or expect: condition and else: quarantine, count or filter", "has no condition"))
	case when && otherwise:
		fs.add(path+".else", complain("with when write then: filter; else goes with expect", "there is no else to when"))
	case when:
		fs.required(path+".then", !then, "write then: filter")
		oneOf(fs, path+".then", r.Then, RuleFilter)
	case then:
		fs.add(path+".then", complain("with expect write else: quarantine, count or filter, which is what happens if it is not met; then goes with when", "there is no then to expect"))
	default:
		fs.required(path+".else", !otherwise, "write else: quarantine, count or filter, which is what happens if it is not met")
		oneOf(fs, path+".else", r.Else, RuleQuarantine, RuleCount, RuleFilter)
	}
}

func ruleName(name string) *complaint {
	for i, c := range name {
		if !(c < 128 && isLetter(byte(c)) || c == '_' || i > 0 && (c >= '0' && c <= '9' || strings.ContainsRune("-.", c))) {
			return complain("use letters, digits, '_', '-' and '.', and begin with a letter", "%q is no legal name of a rule", name)
		}
	}
	if len(name) > ruleNameMax {
		return complain("choose a shorter name", "the name has %d characters, more than %d", len(name), ruleNameMax)
	}
	return nil
}

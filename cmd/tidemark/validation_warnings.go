package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// warningsOf are what is legal and may still surprise: expressions that are interpreted, and such as fail on a null, and a
// budget that is smaller than the program.
func warningsOf(plan *pipeline.Plan, d pipeline.Description) []string {
	warnings := memoryWarning(plan.Pipeline.State.MemoryMax)
	nulls := nullables(plan)
	for i, e := range d.Rules {
		r := &plan.Pipeline.Rules[i]
		warnings = append(warnings, slowWarning("rule "+r.Name, &e)...)
		for _, field := range unguarded(e.Text, nulls) {
			warnings = append(warnings, fmt.Sprintf("rule %s: %s can be null, and then the rule fails%s: write %s",
				r.Name, field, failedText(r), guard(r, field)))
		}
	}
	for _, e := range d.Expressions {
		name := e.Path
		if let, ok := strings.CutPrefix(name, "let."); ok {
			name = "let " + let
		}
		if let, ok := strings.CutPrefix(e.Path, "let."); ok && !used(plan.Pipeline, let) {
			warnings = append(warnings, name+": nothing uses it")
			continue
		}
		warnings = append(warnings, slowWarning(name, &e)...)
		for _, field := range unguarded(e.Text, nulls) {
			if field == e.Text {
				continue // null stays null
			}
			warnings = append(warnings, fmt.Sprintf("%s: %s can be null, and then the event is invalid: write %s != null && ..., or %s != null ? ... : ...",
				name, field, field, field))
		}
	}
	return warnings
}

// littleMemory is the budget below which the program itself outweighs it.
const littleMemory = 160 << 20

// memoryWarning says what a process takes beyond a small budget.
func memoryWarning(bytes int64) []string {
	if bytes >= littleMemory {
		return []string{}
	}
	return []string{fmt.Sprintf("state.memory_max: %d MiB is for what the tasks hold; the program itself takes about 100 MiB of the process, "+
		"so give the process about 150 MiB at least", bytes>>20)}
}

// used says whether any expression names a let.
func used(p *pipeline.Pipeline, let string) bool {
	name := regexp.MustCompile(`\b` + regexp.QuoteMeta(let) + `\b`)
	texts := []string{}
	for _, l := range p.Let {
		if l.Name != let {
			texts = append(texts, l.Expr)
		}
	}
	for _, r := range p.Rules {
		texts = append(texts, r.When, r.Expect)
	}
	for _, o := range p.Outputs {
		texts = append(texts, o.GroupBy...)
		for _, text := range o.GroupExprs {
			texts = append(texts, text)
		}
		for _, a := range o.Aggregate {
			texts = append(texts, a.Call)
		}
	}
	return slices.ContainsFunc(texts, name.MatchString)
}

func slowWarning(name string, e *pipeline.ExpressionDescription) []string {
	if !e.Slow {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s", name, e.Cost)}
}

// failedText says what becomes of an event for which a rule can't be evaluated.
func failedText(r *pipeline.Rule) string {
	switch {
	case r.Then == pipeline.RuleFilter, r.Else == pipeline.RuleFilter, r.Else == pipeline.RuleQuarantine:
		return " and the event is quarantined"
	}
	return " and counts the event"
}

func guard(r *pipeline.Rule, field string) string {
	if r.When != "" {
		return field + " != null && ..."
	}
	return field + " == null || ..., or " + field + " != null && ..."
}

// nullables are the fields that can be null, as expressions name them. Of the sources of a co-group those of their own
// schemas only: expressions over another source's fields are null as a whole.
func nullables(plan *pipeline.Plan) []string {
	var names []string
	for i := range plan.Sources {
		s := &plan.Sources[i]
		prefix := ""
		if s.Name != "" {
			prefix = s.Name + "."
		}
		versions := plan.Shape == pipeline.Enrich && i == plan.Join.Right // null where there is none
		for _, field := range s.Reader.Fields() {
			if t, err := s.Schema.Lookup(field); versions || err == nil && t.Nullable {
				names = append(names, prefix+field)
			}
		}
	}
	return names
}

// unguarded are those of the fields that an expression computes with and never tests by == or !=, which take null as a
// value; anything else fails on it. It goes by the text, so it can overlook one that is tested in one place only.
func unguarded(text string, fields []string) []string {
	var found []string
	for _, field := range fields {
		name := regexp.QuoteMeta(field)
		used := regexp.MustCompile(`(^|[^\w.'"])` + name + `($|[^\w'"])`).MatchString(text)
		tested := regexp.MustCompile(`(^|[^\w.])` + name + `\s*[!=]=|[!=]=\s*` + name + `($|[^\w.])`).MatchString(text)
		if used && !tested {
			found = append(found, field)
		}
	}
	return found
}

package pipeline

import (
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// ReasonRule begins the reason of a *schema.RecordError for an event that a rule quarantines; the rule's name follows.
const ReasonRule = "rule:"

// FateKind is what the rules decide of an event.
type FateKind uint8

// The fates.
const (
	Keep        FateKind = iota // it enters the windows
	Filtered                    // a rule took it out
	Quarantined                 // a rule found it bad: counted as invalid, with the rule's name
)

// String names the fate as metrics do.
func (k FateKind) String() string {
	switch k {
	case Keep:
		return "keep"
	case Filtered:
		return "filtered"
	case Quarantined:
		return "quarantined"
	}
	return "unknown"
}

// Fate is what the rules make of an event.
type Fate struct {
	Outcome FateKind
	// Rule is the index, in Plan.RuleNames, of the rule that decided; -1 if none did.
	Rule int
	// Counted has bit i set if rule i counts and fired.
	Counted uint64
}

var errNullRule = errors.New("the condition is null")

// decide applies the rules to the row, in the order of the file; the first that filters or quarantines decides. A
// condition that can't be evaluated, or is null, makes its rule fire: an expectation is then not met, and a filter that
// can't tell quarantines. The error of a quarantined event is a *schema.RecordError whose reason names the rule.
func (e *Eval) decide() (Fate, error) {
	fate := Fate{Rule: -1}
	for i := range e.rules {
		r := &e.plan.program.rules[i]
		v, skip, err := e.value(&e.rules[i])
		switch {
		case skip: // it is about events of other sources
			continue
		case err == nil && v.IsNull():
			err = errNullRule
		case err == nil && v.Bool() == r.expect:
			continue
		}
		if r.then == RuleCount {
			fate.Counted |= 1 << i
			continue
		}
		fate.Rule = i
		if r.then == RuleFilter && (err == nil || r.expect) {
			fate.Outcome = Filtered
			return fate, nil
		}
		fate.Outcome = Quarantined
		return fate, r.failure(err)
	}
	return fate, nil
}

// failure is the error of an event that the rule quarantines; err is nil if its condition could be evaluated.
func (r *ruleProgram) failure(err error) error {
	if err == nil {
		return r.notMet
	}
	var bad *schema.RecordError
	if errors.As(err, &bad) {
		err = bad.Err
	}
	return &schema.RecordError{Reason: ReasonRule + r.name, Err: fmt.Errorf("rule %s: %w", r.name, err)}
}

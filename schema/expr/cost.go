package expr

// Interpreted reports that the expression runs in cel-go's evaluator, which
// costs several hundred nanoseconds an event, and not as compiled closures.
func (p *Program) Interpreted() bool { return p.cel != nil }

// Cost says in a few words how the expression is evaluated: "reads a field",
// "compiled", or "interpreted (slow): uses ..." and what it uses that is not
// compiled.
func (p *Program) Cost() string {
	switch {
	case p.plain != "":
		return "reads a field"
	case p.Interpreted():
		return "interpreted (slow)"
	}
	return "compiled"
}

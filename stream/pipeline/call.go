package pipeline

import (
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// words are the aggregates that the engine keeps in words of its records; all others are Definitions. Each is a function
// of the set of a window's events (law L1).
var words = map[string]window.Func{
	"count": window.Count, "count_if": window.CountIf, "sum": window.Sum,
	"min": window.Min, "max": window.Max, "mean": window.Mean,
}

// call is a parsed aggregate: a function, the text of its argument, and its parameters.
type call struct {
	name   string
	arg    string // empty for count()
	at     int    // where arg begins in the text, in bytes
	params []window.Literal
}

const callForm = "write one call, as in count(), count_if(delay > 60), sum(distance) or quantile(delay, 0.95)"

// parseCall reads one aggregate. The argument is an expression and is not looked into: only its brackets, quotes and
// commas are followed. What comes behind it are literals. at is where the complaint lies, in bytes.
func (b *builder) parseCall(text string) (c call, at int, fault *complaint) {
	start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	end := start
	for end < len(text) && (isLetter(text[end]) || text[end] == '_' || end > start && text[end] >= '0' && text[end] <= '9') {
		end++
	}
	name, rest := text[start:end], strings.TrimLeft(text[end:], " \t\r\n")
	if name == "" {
		return c, start, complain(callForm, "%q is no call of an aggregate", text)
	}
	if !strings.HasPrefix(rest, "(") {
		if name == "count" && rest == "" {
			return c, start, complain("write count()", "%q lacks its brackets", text)
		}
		return c, start, complain(callForm, "%q is no call of an aggregate", text)
	}
	open := len(text) - len(rest)
	closing, fault := closingBracket(text, open)
	if fault != nil {
		return c, open, fault
	}
	def, custom := b.definitions[name]
	if words[name] == 0 && !custom {
		return c, start, b.unknownFunction(name, text[open+1:closing])
	}
	if after := strings.TrimSpace(text[closing+1:]); after != "" {
		return c, closing + 1, complain("an aggregate is one call: publish the parts as aggregates of their own, and compute with them where they are read",
			"%q follows the call", after)
	}
	if first, rest, ok := strings.Cut(strings.TrimSpace(text[open+1:closing]), " "); ok && strings.EqualFold(first, "distinct") {
		return c, open + 1, complain("write distinct("+strings.TrimSpace(rest)+"), or approx_distinct("+strings.TrimSpace(rest)+") for many values", "distinct is a function of its own here")
	}
	c.name = name
	parts := splitArguments(text, open+1, closing)
	if c.arg = strings.TrimSpace(text[parts[0][0]:parts[0][1]]); c.arg != "" {
		c.at = parts[0][0] + strings.Index(text[parts[0][0]:], c.arg)
	} else if name != "count" || len(parts) > 1 {
		return c, open, complain("name a field or write an expression, as in "+exampleOf(name, def), "%s() needs an argument", name)
	}
	at, fault = c.parameters(text, parts[1:], closing, def)
	return c, at, fault
}

// parameters reads the literals behind the argument.
func (c *call) parameters(text string, parts [][2]int, closing int, def window.Definition) (at int, fault *complaint) {
	if n := len(parts); n > def.Max {
		at := parts[def.Max][0]
		if def.Max == 0 {
			return at, complain("write "+exampleOf(c.name, def)+", or compute one value from several in an expression", "%s takes one argument, not %d", c.name, n+1)
		}
		return at, complain("write "+exampleOf(c.name, def), "%s takes %s behind its argument, not %d", c.name, parametersOf(def), n)
	}
	for _, part := range parts {
		value, at, fault := parseLiteral(text, part[0], part[1])
		if fault != nil {
			return at, fault
		}
		c.params = append(c.params, value)
	}
	if len(parts) < def.Min {
		return closing, complain("write "+exampleOf(c.name, def), "%s takes %s behind its argument, not %d", c.name, parametersOf(def), len(parts))
	}
	return 0, nil
}

// parametersText is the parameters as the fingerprint has them.
func (c *call) parametersText() string {
	texts := make([]string, len(c.params))
	for i, p := range c.params {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// choose makes the aggregate for an argument of a type: in words where it can be.
func (b *builder) choose(c *call, t schema.Type, agg *window.Agg) *complaint {
	var fault *complaint
	if fn := words[c.name]; fn != 0 {
		if fault = takes(fn, t); fault == nil {
			agg.Func = fn
			return nil
		}
	}
	def, custom := b.definitions[c.name]
	if !custom {
		return fault
	}
	made, err := def.New(t, c.params)
	switch {
	case err == nil:
		agg.Func, agg.Custom = window.Custom, made
		return nil
	case fault != nil && !t.Decimal(): // which says more, but of decimals, which aren't held in words
		return fault
	}
	return complain("the call is "+exampleOf(c.name, def), "%v", err)
}

// takes checks the type of an argument of an aggregate in words.
func takes(fn window.Func, t schema.Type) *complaint {
	number := t.Kind == schema.KindInt || t.Kind == schema.KindFloat
	switch fn {
	case window.Count:
		return nil
	case window.CountIf:
		if t.Kind != schema.KindBool {
			return complain("compare, as in count_if(x > 0)", "count_if takes a condition, not %s", a(t))
		}
		return nil
	case window.Sum, window.Mean:
		if number && t.Logical != "" {
			return complain("subtract times to get durations as numbers first", "%s takes a number, not %s", fn, a(t))
		}
	}
	if !number {
		return complain("count(), or count_if(...) with a condition, take any field", "%s takes a number, not %s", fn, a(t))
	}
	return nil
}

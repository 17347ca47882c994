package pipeline

import (
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// functions are the aggregates there are. Each is a function of the set of a window's events (law L1).
var functions = map[string]window.Func{
	"count": window.Count, "count_if": window.CountIf, "sum": window.Sum,
	"min": window.Min, "max": window.Max, "mean": window.Mean,
}

var functionNames = []string{"count", "count_if", "sum", "min", "max", "mean"}

// call is a parsed aggregate: a function and the text of its argument.
type call struct {
	fn  window.Func
	arg string // empty for count()
	at  int    // where arg begins in the text, in bytes
}

const callForm = "write one call, as in count(), count_if(delay > 60), sum(distance) or mean(delay)"

// parseCall reads one aggregate. The argument is an expression and is not looked into; only its brackets and quotes
// are followed. at is where the complaint lies, in bytes.
func parseCall(text string) (c call, at int, fault *complaint) {
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
	if fn, known := functions[name]; known {
		c.fn = fn
	} else {
		return c, start, unknownFunction(name)
	}
	if after := strings.TrimSpace(text[closing+1:]); after != "" {
		return c, closing + 1, complain("an aggregate is one call: publish the parts as aggregates of their own, and compute with them where they are read",
			"%q follows the call", after)
	}
	inner := text[open+1 : closing]
	if c.arg = strings.TrimSpace(inner); c.arg != "" {
		c.at = open + 1 + strings.Index(inner, c.arg)
	} else if c.fn != window.Count {
		return c, open, complain("name a field or write an expression, as in "+name+"(x)", "%s() needs an argument", name)
	}
	return c, 0, nil
}

// closingBracket finds the bracket that closes the one at open, past the quotes of CEL.
func closingBracket(text string, open int) (int, *complaint) {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i, nil
			}
		case '\'', '"':
			n := quoted(text, i)
			if n == 0 {
				return 0, complain("close the quote", "a quote is never closed in %q", text)
			}
			i += n - 1
		}
	}
	return 0, complain("close the bracket", "a bracket is never closed in %q", text)
}

// quoted is the length of the CEL string literal whose quote stands at from, or 0 if it never ends. A prefix r, before
// the quote, makes backslashes mean nothing.
func quoted(text string, from int) int {
	raw := from > 0 && (text[from-1] == 'r' || text[from-1] == 'R')
	text = text[from:]
	mark := text[:1]
	if strings.HasPrefix(text, strings.Repeat(mark, 3)) {
		mark = text[:3]
	}
	for i := len(mark); i < len(text); i++ {
		if text[i] == '\\' && !raw {
			i++
		} else if strings.HasPrefix(text[i:], mark) {
			return i + len(mark)
		}
	}
	return 0
}

// unknownFunction says what to use instead of a function that isn't there: what it is called here, that it is to
// come, or how to do without where the set law (L1) rules it out.
func unknownFunction(name string) *complaint {
	const (
		order   = "results don't depend on the order of arrival; use max(x) or min(x) for an extreme value, or max(event_time) for the latest time: the last by event time is not built yet"
		running = "a result is a function of its own window's events; publish sum(x) or count() per window, and add windows up where they are read"
		moments = "publish count(), sum(x) and sum(x * x), and compute it from them where they are read"
	)
	switch strings.ToLower(name) {
	case "avg", "average":
		return complain("it is called mean here", "unknown function %s", name)
	case "total":
		return complain("it is called sum here", "unknown function %s", name)
	case "countif", "count_where", "count_true":
		return complain("it is called count_if here", "unknown function %s", name)
	case "quantile", "percentile", "median", "p50", "p90", "p95", "p99", "approx_quantile", "approx_percentile":
		return complain("count with count_if(x > limit) what lies beyond a limit for now", "%s is not built yet", name)
	case "approx_distinct", "approx_count_distinct", "count_distinct", "distinct", "unique", "uniq":
		return complain("group by the field, and count the groups where they are read, for now", "%s is not built yet", name)
	case "first", "last", "latest", "earliest", "first_value", "last_value", "any_value", "argmax", "argmin", "max_by", "min_by":
		return complain(order, "%s is not offered", name)
	case "running_total", "running_sum", "running_count", "cumulative_sum", "cumsum", "cumulate", "lag", "lead", "delta", "row_number", "rank", "moving_average", "ema":
		return complain(running, "%s is not offered", name)
	case "stddev", "std", "stdev", "variance", "var", "stddev_pop", "stddev_samp":
		return complain(moments, "%s is not offered", name)
	case "ratio", "rate", "share", "percent":
		return complain("publish both parts as aggregates, and divide where they are read", "%s is not offered", name)
	case "collect", "collect_list", "collect_set", "list", "array_agg", "string_agg", "group_concat":
		return complain("the events themselves are in the lake; publish counts and sums", "%s is not offered", name)
	}
	hint := "known: " + strings.Join(functionNames, ", ")
	if s := schema.Suggest(name, functionNames); s != "" {
		hint = "did you mean " + s + "?"
	}
	return complain(hint, "unknown function %s", name)
}

// checkArgument checks the type of an aggregate's argument.
func checkArgument(fn window.Func, t schema.Type) *complaint {
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
	if t.Logical == "decimal" {
		return complain("publish the amount as a long in its smallest unit", "%s of a decimal is not built yet", fn)
	}
	if !number {
		return complain("count(), or count_if(...) with a condition, take any field", "%s takes a number, not %s", fn, a(t))
	}
	return nil
}

package pipeline

import (
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// argumentShown is how long an argument can be and still be part of a hint.
const argumentShown = 40

// calledHere are names that other engines have for what is called otherwise here; x stands for the argument.
var calledHere = map[string]string{
	"avg": "mean(x)", "average": "mean(x)", "total": "sum(x)", "countif": "count_if(condition)", "count_where": "count_if(condition)",
	"count_true": "count_if(condition)", "sum_if": "sum(condition ? x : 0)", "minimum": "min(x)", "maximum": "max(x)",
	"percentile": "quantile(x, 0.95)", "approx_quantile": "quantile(x, 0.95)", "approx_percentile": "quantile(x, 0.95)",
	"percentile_cont": "quantile(x, 0.95)", "percentile_approx": "quantile(x, 0.95)", "median": "quantile(x, 0.5)",
	"p50": "quantile(x, 0.5)", "p75": "quantile(x, 0.75)", "p90": "quantile(x, 0.9)", "p95": "quantile(x, 0.95)", "p99": "quantile(x, 0.99)",
	"approx_count_distinct": "approx_distinct(x)", "hll": "approx_distinct(x)", "cardinality": "approx_distinct(x)",
	"count_distinct": "distinct(x), or approx_distinct(x) for many values", "unique": "distinct(x), or approx_distinct(x) for many values",
	"uniq": "approx_distinct(x)", "nunique": "distinct(x), or approx_distinct(x) for many values",
	"latest": "last(x), which goes by event time", "last_value": "last(x), which goes by event time",
	"latest_by_offset": "last(x), which goes by event time and not by offset",
	"earliest":         "first(x), which goes by event time", "first_value": "first(x), which goes by event time",
	"earliest_by_offset": "first(x), which goes by event time and not by offset",
	"any_value":          "first(x), or min(x) for a cheaper one", "arbitrary": "first(x), or min(x) for a cheaper one",
	"std": "stddev(x)", "stdev": "stddev(x)", "stddev_samp": "stddev(x)", "var": "variance(x)", "var_samp": "variance(x)", "var_pop": "variance_pop(x)",
	"topk": "top_k(x, k) by count, or top_values(x, k) for the greatest values", "topkdistinct": "top_values(x, k)", "top": "top_k(x, k) by count, or top_values(x, k) for the greatest values",
	"mode": "top_k(x, 1)", "most_frequent": "top_k(x, 1)", "bool_or": "any(x)", "some": "any(x)", "logical_or": "any(x)",
	"bool_and": "all(x)", "every": "all(x)", "logical_and": "all(x)", "width_bucket": "histogram(x, [10, 20, 50])",
	"buckets": "histogram(x, [10, 20, 50])", "frequencies": "histogram(x, [10, 20, 50])",
}

// What the set law (L1) or the size of a result rules out, by the names under which people look for it, and what to do
// instead.
var notOffered = []struct {
	names []string
	hint  string
}{
	{[]string{"running_total", "running_sum", "running_count", "cumulative_sum", "cumsum", "cumulate", "scan", "fold", "reduce"},
		"a result is a function of its own window's events; publish sum(x) or count() per window, and add windows up where they are read"},
	{[]string{"lag", "lead", "delta", "diff", "previous", "row_number", "rank", "dense_rank", "moving_average", "ema", "ewma", "rate_of_change"},
		"results don't depend on the order of arrival; use first(x) and last(x), which go by event time, and compare windows where they are read"},
	{[]string{"argmax", "argmin", "max_by", "min_by", "arg_max", "arg_min"},
		"publish max(x), or last(y) for the latest by event time; or top_k(y, k)"},
	{[]string{"ratio", "rate", "share", "percent"},
		"publish both parts as aggregates, and divide where they are read: a ratio of windows can't be corrected in parts"},
	{[]string{"collect", "collect_list", "collect_set", "list", "array_agg", "string_agg", "group_concat", "listagg", "group_array"},
		"the events themselves are in the lake; publish counts and sums, top_k(x, k) or distinct(x)"},
	{[]string{"now", "current_timestamp", "processing_time"},
		"results don't depend on when they are computed; use max of the event time"},
	{[]string{"sample", "random", "reservoir"},
		"results don't depend on chance; use first(x) or top_k(x, k)"},
}

// unknownFunction says what to use instead of a function that isn't there: what it is called here, or how to do without
// where the set law rules it out. inner is what stands in its brackets.
func (b *builder) unknownFunction(name, inner string) *complaint {
	lower := strings.ToLower(name)
	known := b.functionNames()
	if slices.Contains(known, lower) {
		return complain("write "+lower, "unknown function %s: names are in lower case", name)
	}
	if here, ok := calledHere[lower]; ok {
		if first, _, _ := strings.Cut(strings.TrimSpace(inner), ","); first != "" && len(first) <= argumentShown && !strings.ContainsAny(first, "([{\n\"'") {
			here = strings.NewReplacer("(x", "("+first, "(condition", "("+first).Replace(here)
		}
		return complain("write "+here, "unknown function %s", name)
	}
	for _, n := range notOffered {
		if slices.Contains(n.names, lower) {
			return complain(n.hint, "%s is not offered", name)
		}
	}
	hint := "known: " + strings.Join(known, ", ")
	if s := schema.Suggest(lower, known); s != "" {
		hint = "did you mean " + s + "?"
	}
	return complain(hint, "unknown function %s", name)
}

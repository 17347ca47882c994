package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

func (a *app) explainCommand() *cobra.Command {
	var o reconcile.ExplainOptions
	var window string
	c := &cobra.Command{
		Use:   "explain -f FILE --key K --window T",
		Short: "Say where one window's value comes from: its events, what came late or twice, what was published",
		Args:  cobra.NoArgs,
	}
	c.Flags().StringVar(&o.Output, "output", "", "the output, if the pipeline has several")
	c.Flags().StringVar(&o.Key, "key", "", "the group; several fields: --key a,b; a null is \\N, and of a group of everything the key is empty")
	c.Flags().StringVar(&window, "window", "", "any time within the window, as in 2013-01-09T14:00Z; of windows that overlap, its start")
	c.Flags().BoolVar(&o.Events, "events", false, "list every event")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		if window == "" || !c.Flags().Changed("key") {
			return usagef("explain: say which window: --key K --window T (without group fields: --key \"\")")
		}
		var err error
		if o.Window, err = parseTime("--window", window); err != nil {
			return err
		}
		r, opened, err := a.reconciler(ctx, &bars{a: a})
		if err != nil {
			return err
		}
		if err := checkExplained(opened.plan, o); err != nil {
			return opened.close(err)
		}
		e, err := r.Explain(ctx, o)
		if err := opened.close(reconciled(err)); err != nil {
			return err
		}
		return a.documentResult(e, func(p *printer) {
			if absent := noSession(opened.plan, e); absent {
				p.line("%s %s: no session holds %s; sessions between %s and %s are of %s", e.Output, e.Key, minuteText(o.Window),
					minuteText(e.WindowStart), minuteText(e.WindowEnd), plural(e.Aggregated, "event", "events"))
				return
			}
			printExplanation(p, e, overlapping(opened.plan, e, o.Window))
		})
	})
	return c
}

// checkExplained says what is wrong with the output or the key before anything is read.
func checkExplained(plan *pipeline.Plan, o reconcile.ExplainOptions) error {
	outputs := plan.Pipeline.Outputs
	at := slices.IndexFunc(outputs, func(p pipeline.Output) bool { return p.Name == o.Output })
	switch {
	case o.Output == "" && len(outputs) == 1:
		at = 0
	case o.Output == "":
		return usagef("explain: pipeline %s has several outputs: say --output, one of %s", plan.Pipeline.Name, outputNames(plan.Pipeline))
	case at < 0:
		return usagef("explain: --output %s: pipeline %s has no such output, but %s", o.Output, plan.Pipeline.Name, outputNames(plan.Pipeline))
	}
	if _, err := plan.Codecs[at].ParseKey(o.Key); err != nil {
		return usagef("explain: --key: %w", err)
	}
	return nil
}

// noSession says that the explanation is of no session: the time asked for lies between them.
func noSession(plan *pipeline.Plan, e *reconcile.Explanation) bool {
	return len(e.Batch) == 0 && len(e.Published) == 0 &&
		slices.ContainsFunc(plan.Outputs, func(o window.Output) bool { return o.Name == e.Output && o.Session() })
}

// overlapping are the starts of the other windows that hold the time asked for.
func overlapping(plan *pipeline.Plan, e *reconcile.Explanation, at time.Time) []string {
	var starts []string
	for i := range plan.Outputs {
		o := &plan.Outputs[i]
		if o.Name != e.Output || o.Session() {
			continue
		}
		for _, s := range o.Assign(at.UnixMilli(), nil) {
			if s.Start != e.WindowStart.UnixMilli() {
				starts = append(starts, minuteText(time.UnixMilli(s.Start)))
			}
		}
	}
	return starts
}

// overlapsShown is how many overlapping windows are named.
const overlapsShown = 12

func printExplanation(p *printer, e *reconcile.Explanation, others []string) {
	p.line("%s %s[%s, %s)  %s, owned by the %s", e.Output, keyText(e.Key),
		minuteText(e.WindowStart), minuteText(e.WindowEnd), e.State, e.Owner)
	if n := len(others); n > 0 {
		shown := strings.Join(others[max(0, n-overlapsShown):], ", ")
		if n > overlapsShown {
			shown += fmt.Sprintf(" and %s before", count(n-overlapsShown))
		}
		p.line("  that time is also in the windows from %s: --window with one of these explains it", shown)
	}
	for _, w := range e.Waits {
		p.line("  waits: %s", w)
	}
	ranges := make([]string, len(e.Ranges))
	for i, r := range e.Ranges {
		ranges[i] = fmt.Sprintf("%s/%d offsets %d..%d", r.Topic, r.Partition, r.First, r.Last)
	}
	places := strings.Join(ranges, ", ")
	if len(e.Events) == 0 && e.Aggregated > 0 {
		places += "   --events lists them"
	}
	if places != "" {
		places = ": " + places
	}
	p.line("  distinct %s%s", plural(e.Aggregated, "event", "events"), places)
	for _, at := range e.Events {
		p.line("    %s %s  %s", at.Place, at.Time.Format(time.RFC3339), at.File)
	}
	p.line("  late        %s", count(len(e.Late)))
	for _, at := range e.Late {
		p.line("    %s", lateText(&at))
	}
	p.line("  duplicate   %s", count(len(e.Duplicates)))
	for _, at := range e.Duplicates {
		p.line("    %s  %s", at.Place, at.File)
	}
	if e.Conflicts > 0 {
		p.line("  conflicts   %s: the same id with other values, which all count", count(e.Conflicts))
	}
	printRevisions(p, e)
	for _, n := range e.NotLanded {
		p.line("  not landed: %s", n)
	}
}

func printRevisions(p *printer, e *reconcile.Explanation) {
	for _, r := range e.Published {
		held := ""
		if r.Held && e.Odds != "" {
			held = "   <- a consumer holds this one"
		}
		p.line("  published revision %d %s (%s) at %s: %s%s", r.Revision, r.Status, r.Cause, r.Place, namedValues(r.Values), held)
	}
	if len(e.Published) == 0 {
		p.line("  published   nothing")
	}
	if e.Odds != "" {
		p.line("  at odds: %s; tidemark reconcile run publishes it again", e.Odds)
	}
	verdict := "equal to what is published"
	if !e.Equal {
		verdict = "NOT what is published"
	}
	p.line("  from raw: %s: %s", namedValues(e.Batch), verdict)
}

func namedValues(values []reconcile.NamedValue) string {
	if len(values) == 0 {
		return "no such window"
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.Name + " " + valueText(v.Value)
	}
	return strings.Join(parts, ", ")
}

// lateText is a late event in one line.
func lateText(at *reconcile.EventPlace) string {
	text := at.Place
	if at.BehindMs > 0 {
		text += fmt.Sprintf("  %s after the window closed", longTime(time.Duration(at.BehindMs)*time.Millisecond))
	}
	if len(at.Event) > 0 {
		text += "  " + string(at.Event)
	}
	return text + "  " + at.File
}

// longTime is a duration in words: 19 h 40 m.
func longTime(d time.Duration) string {
	d = d.Round(time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%d m", d/time.Minute)
	}
	return fmt.Sprintf("%d h %d m", d/time.Hour, d%time.Hour/time.Minute)
}

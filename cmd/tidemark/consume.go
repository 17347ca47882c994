package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) consumeCommand() *cobra.Command {
	var latest, changes bool
	c := &cobra.Command{
		Use:   "consume TOPIC -f FILE",
		Short: "Print a topic of the pipeline, decoded, to its end: results, the journal, or a source",
		Long: "Reads what is committed, up to the end that the topic has now, and prints one record a line. With\n" +
			"--latest-per-key it prints one row per group and window, the last record: what a table keyed by the whole\n" +
			"key holds, and what compaction keeps. Summing the rows without it counts corrected windows twice. With --changes it prints what\n" +
			"each row changes: the values of its group and window before, and after.",
		Args: oneArgument("topic"),
	}
	c.Flags().BoolVar(&latest, "latest-per-key", false, "one row per group and window, the one that holds; in memory")
	c.Flags().BoolVar(&changes, "changes", false, "what each row changes: the values before and after; in memory")
	c.RunE = a.command(func(ctx context.Context, args []string) error {
		if latest && changes {
			return usagef("consume: --latest-per-key or --changes: one of the two")
		}
		plan, err := a.load()
		if err != nil {
			return err
		}
		options, err := a.kafkaOf(plan.Pipeline)
		if err != nil {
			return err
		}
		p := a.printer()
		if err := a.consume(ctx, plan, options, args[0], consumeMode(latest, changes), p); err != nil {
			return fmt.Errorf("consume %s: %w", args[0], errors.Join(err, p.flush()))
		}
		return p.flush()
	})
	return c
}

// What is printed of a topic of results.
const (
	everyRow     = ""
	latestPerKey = "--latest-per-key"
	eachChange   = "--changes"
)

func consumeMode(latest, changes bool) string {
	switch {
	case latest:
		return latestPerKey
	case changes:
		return eachChange
	}
	return everyRow
}

func (a *app) consume(ctx context.Context, plan *pipeline.Plan, options kafka.Options, topic, mode string, p *printer) error {
	for i := range plan.Outputs {
		if plan.Outputs[i].Name == topic {
			return a.consumeResults(ctx, plan, i, options, mode, p)
		}
	}
	if mode != everyRow {
		return usagef("%s is for results: %s", mode, outputNames(plan.Pipeline))
	}
	if topic == plan.Pipeline.JournalTopic() {
		s, err := schema.Parse([]byte(journal.Schema()))
		if err != nil {
			return fmt.Errorf("the journal's schema: %w", err)
		}
		return readTopic(ctx, options, topic, func(r *kafka.Record) error { return printJSON(p, s, r.Value) })
	}
	for i := range plan.Sources {
		if s := &plan.Sources[i]; s.Topic == topic {
			edge, err := s.Source.Edge()
			if err != nil {
				return err
			}
			return readCommitted(ctx, options, topic, "produce to it first, with tidemark produce",
				func(r *kafka.Record) error { return printSource(p, s.Reader, edge, r) })
		}
	}
	if plan.Rekeyed && topic == plan.Pipeline.RepartitionTopic() {
		return usagef("it is between the pipeline's own tasks, and deleted once it is counted: the events are in %s", plan.Sources[0].Topic)
	}
	hint := schema.Suggest(topic, pipelineTopics(plan))
	if hint != "" {
		hint = ": did you mean " + hint + "?"
	}
	return usagef("no topic of pipeline %s%s (there are: %v)", plan.Pipeline.Name, hint, pipelineTopics(plan))
}

// consumeResults prints the rows of one output.
func (a *app) consumeResults(ctx context.Context, plan *pipeline.Plan, output int, options kafka.Options, mode string, p *printer) error {
	rows, err := a.newRows(plan, output, p)
	if err != nil {
		return err
	}
	topic := plan.Outputs[output].Name
	switch mode {
	case eachChange:
		return readTopic(ctx, options, topic, rows.printChange)
	case latestPerKey:
		if err := readTopic(ctx, options, topic, rows.keep); err != nil {
			return err
		}
		return errors.Join(rows.printLatest(), a.warnOdds(rows, topic))
	}
	return readTopic(ctx, options, topic, rows.print)
}

// warnOdds says on stderr that the last record of some key isn't of its highest revision.
func (a *app) warnOdds(w *rows, topic string) error {
	odds, err := w.odds()
	if err == nil && odds != "" {
		a.complain("tidemark: consume %s: %s", topic, odds)
	}
	return err
}

func outputNames(p *pipeline.Pipeline) string {
	names := make([]string, len(p.Outputs))
	for i, o := range p.Outputs {
		names[i] = o.Name
	}
	return fmt.Sprint(names)
}

// readTopic reads a topic of results, or the journal.
func readTopic(ctx context.Context, options kafka.Options, topic string, fn func(*kafka.Record) error) error {
	return readCommitted(ctx, options, topic, "tidemark run makes the topics of results", fn)
}

// readCommitted hands over every committed record, partition by partition, to the end that the topic has now. Origin
// says where the topic comes from, for when there is none.
func readCommitted(ctx context.Context, options kafka.Options, topic, origin string, fn func(*kafka.Record) error) error {
	admin, err := kafka.NewAdmin(options)
	if err != nil {
		return err
	}
	defer admin.Close()
	ends, err := admin.Offsets(ctx, topic)
	if errors.Is(err, kafka.ErrNoTopic) {
		return fmt.Errorf("there is no such topic at %v yet: %s", options.Brokers, origin)
	}
	if err != nil {
		return err
	}
	for _, p := range slices.Sorted(maps.Keys(ends)) {
		err := kafka.ReadRange(ctx, options, topic, p, ends[p].Start, ends[p].LastStable, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			if err := fn(r); err != nil {
				return fmt.Errorf("record %s/%d@%d: %w", topic, p, r.Offset, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func printJSON(p *printer, s shower, payload []byte) error {
	text, err := s.ToJSON(payload)
	if err != nil {
		return err
	}
	p.line("%s", text)
	return p.err
}

// printSource prints an event. One that is invalid is printed as its place and the reason: it is in the lake's quarantine.
func printSource(p *printer, reader schema.Reader, s shower, r *kafka.Record) error {
	var ev schema.Event
	var invalid *schema.RecordError
	switch err := reader.Decode(r.Value, &ev); {
	case errors.As(err, &invalid):
		p.line(`{"partition":%d,"offset":%d,"invalid":%q}`, r.Partition, r.Offset, invalid.Reason)
		return p.err
	case err != nil:
		return err
	}
	return printJSON(p, s, ev.Payload)
}

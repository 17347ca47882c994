package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) consumeCommand() *cobra.Command {
	var latest bool
	c := &cobra.Command{
		Use:   "consume TOPIC -f FILE",
		Short: "Print a topic of the pipeline, decoded, to its end: results, the journal, or the source",
		Long: "Reads what is committed, up to the end that the topic has now, and prints one record a line. With\n" +
			"--latest-per-key it prints one row per group and window, the highest revision: what a table keyed by the\n" +
			"whole key holds. Summing the rows without it counts corrected windows twice.",
		Args: oneArgument("topic"),
	}
	c.Flags().BoolVar(&latest, "latest-per-key", false, "one row per group and window, the one that holds; in memory")
	c.RunE = a.command(func(ctx context.Context, args []string) error {
		plan, err := a.load()
		if err != nil {
			return err
		}
		options, err := a.kafkaOf(plan.Pipeline)
		if err != nil {
			return err
		}
		p := a.printer()
		if err := a.consume(ctx, plan, options, args[0], latest, p); err != nil {
			return fmt.Errorf("consume %s: %w", args[0], errors.Join(err, p.flush()))
		}
		return p.flush()
	})
	return c
}

func (a *app) consume(ctx context.Context, plan *pipeline.Plan, options kafka.Options, topic string, latest bool, p *printer) error {
	for i, o := range plan.Pipeline.Outputs {
		if o.Name != topic {
			continue
		}
		rows, err := a.newRows(plan.Codecs[i], o, p)
		if err != nil {
			return err
		}
		if !latest {
			return readTopic(ctx, options, topic, rows.print)
		}
		if err := readTopic(ctx, options, topic, rows.keep); err != nil {
			return err
		}
		return rows.printLatest()
	}
	if latest {
		return usagef("--latest-per-key is for results: %s", outputNames(plan.Pipeline))
	}
	switch topic {
	case plan.Pipeline.JournalTopic():
		s, err := schema.Parse([]byte(journal.Schema()))
		if err != nil {
			return fmt.Errorf("the journal's schema: %w", err)
		}
		return readTopic(ctx, options, topic, func(r *kafka.Record) error { return printJSON(p, s, r.Value) })
	case plan.Pipeline.Source.Topic:
		return readCommitted(ctx, options, topic, "produce to it first, with tidemark produce",
			func(r *kafka.Record) error { return printSource(p, plan, r) })
	}
	hint := schema.Suggest(topic, pipelineTopics(plan.Pipeline))
	if hint != "" {
		hint = ": did you mean " + hint + "?"
	}
	return usagef("no topic of pipeline %s%s (there are: %v)", plan.Pipeline.Name, hint, pipelineTopics(plan.Pipeline))
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

func printJSON(p *printer, s *schema.Schema, payload []byte) error {
	text, err := s.ToJSON(payload)
	if err != nil {
		return err
	}
	p.line("%s", text)
	return p.err
}

// printSource prints an event. One that is invalid is printed as its place and the reason: it is in the lake's quarantine.
func printSource(p *printer, plan *pipeline.Plan, r *kafka.Record) error {
	var ev schema.Event
	var invalid *schema.RecordError
	switch err := plan.Decoder.Decode(r.Value, &ev); {
	case errors.As(err, &invalid):
		p.line(`{"partition":%d,"offset":%d,"invalid":%q}`, r.Partition, r.Offset, invalid.Reason)
		return p.err
	case err != nil:
		return err
	}
	return printJSON(p, plan.Schema, ev.Payload)
}

// rows prints the rows of one output.
type rows struct {
	codec  *curated.Codec
	output pipeline.Output
	schema *schema.Schema
	json   bool
	p      *printer
	row    curated.Row
	kept   map[string]keptRow
}

type keptRow struct {
	key, value []byte
	revision   int64
}

func (a *app) newRows(codec *curated.Codec, o pipeline.Output, p *printer) (*rows, error) {
	s, err := schema.Parse([]byte(codec.ValueSchema()))
	if err != nil {
		return nil, fmt.Errorf("schema of output %s: %w", o.Name, err)
	}
	return &rows{codec: codec, output: o, schema: s, json: a.output == "json", p: p, kept: map[string]keptRow{}}, nil
}

func (w *rows) print(r *kafka.Record) error { return w.printRow(r.Key, r.Value) }

// keep folds by revision: the higher one holds, and of equal ones the later.
func (w *rows) keep(r *kafka.Record) error {
	if err := w.codec.Decode(r.Key, r.Value, &w.row); err != nil {
		return err
	}
	if kept, ok := w.kept[string(r.Key)]; ok && kept.revision > w.row.Revision {
		return nil
	}
	w.kept[string(r.Key)] = keptRow{key: r.Key, value: r.Value, revision: w.row.Revision}
	return nil
}

// printLatest prints what was kept, by group and window, without retracted windows.
func (w *rows) printLatest() error {
	type placed struct {
		keptRow
		group string
		start int64
	}
	all := make([]placed, 0, len(w.kept))
	for _, k := range w.kept {
		if err := w.codec.Decode(k.key, k.value, &w.row); err != nil {
			return err
		}
		if w.row.Status != curated.Retracted {
			all = append(all, placed{k, w.codec.FormatKey(w.row.Key), w.row.Start})
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.start, b.start), bytes.Compare(a.key, b.key))
	})
	for _, r := range all {
		if err := w.printRow(r.key, r.value); err != nil {
			return err
		}
	}
	return nil
}

func (w *rows) printRow(key, value []byte) error {
	if w.json {
		return printJSON(w.p, w.schema, value)
	}
	if err := w.codec.Decode(key, value, &w.row); err != nil {
		return err
	}
	text := ""
	for i, agg := range w.output.Aggregate {
		text += "  " + agg.Name + " " + w.row.Values[i].String()
	}
	w.p.line("%s  %s%s  revision %d %s (%s)", w.codec.FormatKey(w.row.Key), instant(w.row.Start, true), text,
		w.row.Revision, w.row.Status, w.row.Cause)
	return w.p.err
}

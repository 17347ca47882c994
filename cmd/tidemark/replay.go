package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/retrace"
	"github.com/tidemark-io/tidemark/cmd/internal/sourcelog"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

type replayFlags struct {
	output, key, window string
	cut                 []string
	from, export        string
	events              bool
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay -f FILE --key K --window T",
		Short: "Replay one window from the lake: its value after each event, and what became of each",
		Long: "Reads the source again, from the lake or with --from topic from Kafka, runs it through the pipeline in memory,\n" +
			"and prints the window's value after each event that belongs to it: where the event stood, what the watermark\n" +
			"of its partition was, and whether it was aggregated, a duplicate, or late. Nothing is published. Silent\n" +
			"partitions count as silent: decisions of past runs are not applied.\n\n" +
			"--export writes the events as a test case for tidemark test.",
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	flags.StringVar(&f.output, "output", "", "the output, if the pipeline has several")
	flags.StringVar(&f.key, "key", "", "the group; several fields: --key a,b; a null is \\N, and of a group of everything the key is empty")
	flags.StringVar(&f.window, "window", "", "any time within the window, as in 2013-01-09T14:00Z; of windows that overlap, the start")
	flags.StringSliceVar(&f.cut, "cut", nil, "read up to there: TOPIC/PARTITION@OFFSET, not included")
	flags.StringVar(&f.from, "from", "lake", "where the events are read: lake or topic")
	flags.StringVar(&f.export, "export", "", "write a test case with these events to this file, which must not exist")
	flags.BoolVar(&f.events, "events", false, "print each event too")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		if f.window == "" || !flags.Changed("key") {
			return usagef("replay: say which window: --key K --window T (without group fields: --key \"\")")
		}
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		target, cut, err := f.target(o.plan)
		if err != nil {
			return o.close(err)
		}
		tr, err := a.retrace(ctx, o, target, cut, f.from)
		if err := o.close(err); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		r := newReplayReport(o.plan, target, tr)
		if err := r.describe(o.plan, tr, f.events); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if len(tr.Steps) == 0 {
			return fmt.Errorf("replay: no event in the %s belongs to %s [%s, %s): tidemark consume %s --latest-per-key lists the groups and windows there are",
				f.from, r.Key, r.WindowStart, r.WindowEnd, r.Output)
		}
		if err := a.export(tr, &f, r); err != nil {
			return err
		}
		return a.result("ReplayReport", r, r.print)
	})
	return c
}

// target finds the window that is meant.
func (f *replayFlags) target(plan *pipeline.Plan) (t retrace.Target, cut retrace.Cut, err error) {
	outputs := plan.Pipeline.Outputs
	t.Output = slices.IndexFunc(outputs, func(p pipeline.Output) bool { return p.Name == f.output })
	switch {
	case f.output == "" && len(outputs) == 1:
		t.Output = 0
	case f.output == "":
		return t, nil, usagef("replay: pipeline %s has several outputs: say --output, one of %s", plan.Pipeline.Name, outputNames(plan.Pipeline))
	case t.Output < 0:
		return t, nil, usagef("replay: --output %s: pipeline %s has no such output, but %s", f.output, plan.Pipeline.Name, outputNames(plan.Pipeline))
	}
	if t.Key, err = plan.Codecs[t.Output].ParseKey(f.key); err != nil {
		return t, nil, usagef("replay: --key: %w", err)
	}
	at, err := parseTime("--window", f.window)
	if err != nil {
		return t, nil, err
	}
	if t.Span, err = retrace.Find(plan, t.Output, at.UnixMilli()); err != nil {
		return t, nil, usagef("replay: --window %s: %w", f.window, err)
	}
	if _, err := os.Stat(f.export); f.export != "" && err == nil {
		return t, nil, usagef("replay: --export %s: the file is there already: name another", f.export)
	}
	cut, err = readCut(plan, f.cut)
	return t, cut, err
}

// readCut reads --cut.
func readCut(plan *pipeline.Plan, texts []string) (retrace.Cut, error) {
	cut := retrace.Cut{}
	for _, text := range texts {
		place, offset, ok := strings.Cut(text, "@")
		slash := strings.LastIndexByte(place, '/')
		if !ok || slash < 0 {
			return nil, usagef("replay: --cut %s: write TOPIC/PARTITION@OFFSET", text)
		}
		source := slices.IndexFunc(plan.Sources, func(s pipeline.SourcePlan) bool { return s.Topic == place[:slash] })
		partition, errP := strconv.ParseInt(place[slash+1:], 10, 32)
		below, errO := strconv.ParseInt(offset, 10, 64)
		if source < 0 || errP != nil || errO != nil || partition < 0 || below < 0 {
			return nil, usagef("replay: --cut %s: write TOPIC/PARTITION@OFFSET, of a source of the pipeline", text)
		}
		if cut[source] == nil {
			cut[source] = map[int32]int64{}
		}
		cut[source][int32(partition)] = below
	}
	return cut, nil
}

// retrace replays all sources.
func (a *app) retrace(ctx context.Context, o *opened, target retrace.Target, cut retrace.Cut, from string) (*retrace.Trace, error) {
	var logs []*sourcelog.Log
	err := a.readSources(ctx, o, from, func(_ int, log *sourcelog.Log) error {
		logs = append(logs, log)
		return nil
	})
	if err != nil {
		return nil, err
	}
	tr, err := retrace.New(o.plan, retrace.Partitions(logs), target)
	if err != nil {
		return nil, err
	}
	return tr, tr.Read(ctx, logs, cut)
}

// export writes the fixture.
func (a *app) export(tr *retrace.Trace, f *replayFlags, r *replayReport) error {
	if f.export == "" {
		return nil
	}
	text, err := tr.Export(f.export, a.file, os.LookupEnv)
	if errors.Is(err, retrace.ErrJoin) {
		return usagef("replay: --export: %w", err)
	}
	if err != nil {
		return fmt.Errorf("replay: --export %s: %w", f.export, err)
	}
	out, err := os.OpenFile(f.export, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("replay: --export: %w", err)
	}
	_, err = out.Write(text)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("replay: --export %s: %w", f.export, err)
	}
	r.Exported = f.export
	return nil
}

// replayReport is what `replay` tells.
type replayReport struct {
	Output      string       `json:"output"`
	Key         string       `json:"key"`
	WindowStart string       `json:"window_start"`
	WindowEnd   string       `json:"window_end"`
	Events      int          `json:"events"` // that belong to the window, whatever became of them
	Steps       []replayStep `json:"steps"`
	Exported    string       `json:"exported,omitempty"`

	names   []string
	session bool
}

type replayStep struct {
	Verdict     string          `json:"verdict"`
	Place       string          `json:"place,omitempty"`
	Time        string          `json:"time,omitempty"`
	Watermark   string          `json:"watermark,omitempty"`
	WindowStart string          `json:"window_start"`
	WindowEnd   string          `json:"window_end"`
	Values      []replayValue   `json:"values"`
	Event       json.RawMessage `json:"event,omitempty"`
}

type replayValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func newReplayReport(plan *pipeline.Plan, t retrace.Target, tr *retrace.Trace) *replayReport {
	o := &plan.Outputs[t.Output]
	codec := plan.Codecs[t.Output]
	r := &replayReport{Output: o.Name, Key: codec.FormatKey(t.Key), WindowStart: instant(t.Span.Start, true), WindowEnd: instant(t.Span.End, true),
		Steps: []replayStep{}, session: o.Session()}
	for _, agg := range o.Aggs {
		r.names = append(r.names, agg.Name)
	}
	for i := range tr.Steps {
		s := &tr.Steps[i]
		step := replayStep{Verdict: s.Verdict, WindowStart: instant(s.Start, true), WindowEnd: instant(s.End, true), Values: []replayValue{}}
		if s.Watermark != window.NoWatermark {
			step.Watermark = instant(s.Watermark, true)
		}
		if s.Record != nil {
			r.Events++
			step.Place = fmt.Sprintf("%s/%d@%d", plan.Sources[s.Source].Topic, s.Place.Partition, s.Place.Offset)
			step.Time = instant(s.Time, true)
		}
		for j := range s.Values {
			step.Values = append(step.Values, replayValue{r.names[j], codec.FormatValue(j, s.Values[j])})
		}
		r.Steps = append(r.Steps, step)
	}
	return r
}

// describe adds the events themselves.
func (r *replayReport) describe(plan *pipeline.Plan, tr *retrace.Trace, events bool) error {
	if !events {
		return nil
	}
	var edges []*schema.Edge
	for i := range plan.Sources {
		edge, err := plan.Sources[i].Source.Edge()
		if err != nil {
			return err
		}
		edges = append(edges, edge)
	}
	eval := plan.NewEval()
	for i := range tr.Steps {
		s := &tr.Steps[i]
		if s.Record == nil {
			continue
		}
		if err := eval.Decode(s.Source, s.Record); err != nil {
			return err
		}
		text, err := edges[s.Source].ToJSON(eval.Event.Payload)
		if err != nil {
			return err
		}
		r.Steps[i].Event = text
	}
	return nil
}

func (r *replayReport) print(p *printer) {
	p.line("%s %s [%s, %s): %s", r.Output, r.Key, r.WindowStart, r.WindowEnd, plural(r.Events, "event", "events"))
	head := []string{"place", "event time", "watermark", "verdict"}
	if r.session {
		head = append(head, "from", "to")
	}
	rows := [][]string{append(head, r.names...)}
	for _, s := range r.Steps {
		mark := s.Watermark
		if mark == "" {
			mark = "-"
		}
		row := []string{s.Place, s.Time, mark, s.Verdict}
		if r.session {
			row = append(row, s.WindowStart, s.WindowEnd)
		}
		for _, v := range s.Values {
			row = append(row, v.Value)
		}
		if len(s.Event) > 0 {
			row = append(row, string(s.Event))
		}
		rows = append(rows, row)
	}
	p.table(rows)
	if r.Exported != "" {
		p.line("%s: the same events as a test case; run it with tidemark test %s", r.Exported, r.Exported)
	}
}

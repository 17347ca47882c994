package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/peek"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

type stateGetFlags struct {
	output, key, window, from string
	task                      int32
}

// stateGot is what `state get` tells.
type stateGot struct {
	Output  string        `json:"output"`
	Key     string        `json:"key"`
	From    string        `json:"from"`    // disk or checkpoint
	Tasks   []stateRead   `json:"tasks"`   // that were looked into
	Windows []stateWindow `json:"windows"` // by start

	names []string
}

type stateRead struct {
	Task  int32  `json:"task"`
	Place string `json:"place"` // directory, or key of the checkpoint
	Cut   string `json:"cut"`
}

type stateWindow struct {
	Task        int32         `json:"task"`
	WindowStart string        `json:"window_start"`
	WindowEnd   string        `json:"window_end"`
	Events      int64         `json:"events"`
	Duplicates  int64         `json:"duplicates"`
	Values      []replayValue `json:"values"`
}

func (a *app) stateGetCommand() *cobra.Command {
	var f stateGetFlags
	c := &cobra.Command{
		Use:   "get -f FILE --key K",
		Short: "Print the open windows of a group, as their results would be now",
		Long: "Reads the tasks' state and prints the open windows of one group with the values that they would have if they closed now.\n" +
			"--from disk reads the state on this machine, which no process may have open (exit 5 if one has). --from checkpoint reads\n" +
			"the newest checkpoints in the bucket, each restored into a temporary directory: that works while the pipeline runs,\n" +
			"and shows what was at the checkpoint's cut. A closed window is in the curated topic: tidemark consume --window.",
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	flags.StringVar(&f.output, "output", "", "the output, if the pipeline has several")
	flags.StringVar(&f.key, "key", "", "the group; several fields: --key a,b; a null is \\N, and of a group of everything the key is empty")
	flags.StringVar(&f.window, "window", "", "only windows that hold this time, as in 2013-01-09T14:00Z")
	flags.StringVar(&f.from, "from", "disk", "disk or checkpoint")
	onlyTask(c, &f.task)
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		if !flags.Changed("key") {
			return usagef("state get: say which group: --key K (without group fields: --key \"\")")
		}
		if f.from != "disk" && f.from != "checkpoint" {
			return usagef("state get: --from %s: say disk or checkpoint", f.from)
		}
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		got, err := f.get(ctx, o)
		if err := o.close(err); err != nil {
			return err
		}
		return a.result("StateWindows", got, got.print)
	})
	return c
}

func (f *stateGetFlags) get(ctx context.Context, o *opened) (*stateGot, error) {
	q, err := f.query(o.plan)
	if err != nil {
		return nil, err
	}
	codec := o.plan.Codecs[q.Output]
	got := &stateGot{Output: o.plan.Outputs[q.Output].Name, Key: codec.FormatKey(q.Key), From: f.from, Tasks: []stateRead{}, Windows: []stateWindow{}}
	for _, agg := range o.plan.Outputs[q.Output].Aggs {
		got.names = append(got.names, agg.Name)
	}
	var found []peek.Window
	if f.from == "disk" {
		err = onDisk("state get", func(sh *state.Shared) error {
			found, err = f.fromDisk(o.plan, sh, q, got)
			return err
		})
	} else if found, err = f.fromCheckpoints(ctx, o, q, got); err != nil {
		err = fmt.Errorf("state get: %w", err)
	}
	for _, w := range found {
		row := stateWindow{Task: w.Task, WindowStart: instant(w.Start, true), WindowEnd: instant(w.End, true), Events: w.Events, Duplicates: w.Duplicates}
		for i := range w.Values {
			row.Values = append(row.Values, replayValue{got.names[i], codec.FormatValue(i, w.Values[i])})
		}
		got.Windows = append(got.Windows, row)
	}
	return got, err
}

func (f *stateGetFlags) query(plan *pipeline.Plan) (q peek.Query, err error) {
	p := plan.Pipeline
	q.Output = slices.IndexFunc(p.Outputs, func(o pipeline.Output) bool { return o.Name == f.output })
	switch {
	case f.output == "" && len(p.Outputs) == 1:
		q.Output = 0
	case q.Output < 0:
		return q, usagef("state get: say --output, one of %s", outputNames(p))
	}
	if q.Key, err = plan.Codecs[q.Output].ParseKey(f.key); err != nil {
		return q, usagef("state get: --key: %w", err)
	}
	at, err := parseTime("--window", f.window)
	if err == nil && !at.IsZero() {
		ms := at.UnixMilli()
		q.Within = &ms
	}
	return q, err
}

// wants says whether the group can be in the task, of so many.
func (f *stateGetFlags) wants(plan *pipeline.Plan, q peek.Query, task, width int32) bool {
	of := peek.TaskOf(plan, q.Key, width)
	return (f.task == anyTask || f.task == task) && (of < 0 || of == task)
}

func (f *stateGetFlags) fromDisk(plan *pipeline.Plan, sh *state.Shared, q peek.Query, got *stateGot) ([]peek.Window, error) {
	dirs, err := taskDirs(plan.Pipeline)
	if err != nil {
		return nil, err
	}
	var all []peek.Window
	for _, d := range dirs {
		if !f.wants(plan, q, d.Task, 0) {
			continue
		}
		cut, found, err := peek.Disk(plan, d.Dir, sh, q)
		if err != nil {
			return nil, d.ofDir(err)
		}
		if cut != nil {
			got.Tasks = append(got.Tasks, stateRead{d.Task, d.Dir, cutText(cut.Position())})
			all = append(all, found...)
		}
	}
	if len(got.Tasks) == 0 {
		of := "pipeline " + plan.Pipeline.Name
		if f.task != anyTask {
			of = fmt.Sprintf("task %d of %s", f.task, of)
		}
		return nil, fmt.Errorf("no state of %s in %s: --from checkpoint reads the bucket's", of, plan.Pipeline.Path(plan.Pipeline.State.Dir))
	}
	return all, nil
}

func (f *stateGetFlags) fromCheckpoints(ctx context.Context, o *opened, q peek.Query, got *stateGot) ([]peek.Window, error) {
	tasks, err := checkpointTasks(ctx, o, f.task)
	if err != nil {
		return nil, err
	}
	var all []peek.Window
	for _, task := range tasks {
		key, m, err := newestCheckpoint(ctx, o, task, func(state.ManifestName) bool { return true })
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", task, err)
		}
		if m == nil || !f.wants(o.plan, q, task, m.Cut.Sources[len(m.Cut.Sources)-1].Partitions) {
			continue
		}
		found, err := peek.Checkpoint(ctx, o.plan, o.bucket, checkpointPrefix(o.plan.Pipeline, task), m, q)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", task, err)
		}
		got.Tasks = append(got.Tasks, stateRead{task, key, cutText(m.Cut.Position())})
		all = append(all, found...)
	}
	if len(got.Tasks) == 0 {
		return nil, errors.New(noCheckpoints(o.plan.Pipeline, f.task))
	}
	return all, nil
}

func (g *stateGot) print(p *printer) {
	for _, t := range g.Tasks {
		p.line("task %d at %s, %s", t.Task, t.Cut, t.Place)
	}
	if len(g.Windows) == 0 {
		p.line("%s %s: no open window", g.Output, g.Key)
		return
	}
	rows := [][]string{append([]string{"task", "from", "to", "events", "duplicates"}, g.names...)}
	for _, w := range g.Windows {
		row := []string{fmt.Sprint(w.Task), w.WindowStart, w.WindowEnd, count(w.Events), count(w.Duplicates)}
		for _, v := range w.Values {
			row = append(row, v.Value)
		}
		rows = append(rows, row)
	}
	p.line("%s %s: %s", g.Output, g.Key, plural(len(g.Windows), "open window", "open windows"))
	p.table(rows)
}

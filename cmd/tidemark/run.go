package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/page"
	"github.com/tidemark-io/tidemark/cmd/internal/status"
	"github.com/tidemark-io/tidemark/cmd/internal/telemetry"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// defaultListen is where a run shows its page unless told otherwise. When it is taken the run goes on without a page.
const defaultListen = "127.0.0.1:7070"

type runFlags struct {
	listen   string
	id       string
	until    string
	explicit bool // --listen was given: then it must work
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run -f FILE",
		Short: "Run the pipeline: for ever, or with --until end to the end that its topics have now",
		Long: "Runs the pipeline as one process. Several may share it, each with an --id of its own that stays the same over\n" +
			"restarts. SIGINT and SIGTERM commit, land and checkpoint what has been read, then exit 130 or 143.",
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&f.listen, "listen", defaultListen, "where the status page and metrics are served; :PORT is this machine only, \"\" is nowhere")
	c.Flags().StringVar(&f.id, "id", "main", "names this process among those that share the pipeline; the same after a restart")
	c.Flags().StringVar(&f.until, "until", "", "end: close what is open at the end of the topics, then exit")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		f.explicit = c.Flags().Changed("listen")
		return a.run(ctx, f)
	})
	return c
}

var processID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)

func (f *runFlags) check() error {
	if f.until != "" && f.until != "end" {
		return usagef("run: --until %s: say end, or leave it out to run for ever", f.until)
	}
	if !processID.MatchString(f.id) {
		return usagef("run: --id %q: use letters, digits, dots, dashes and underscores, at most 64", f.id)
	}
	return nil
}

func (a *app) run(ctx context.Context, f runFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	o, err := a.open(ctx)
	if err != nil {
		return err
	}
	limitMemory(o.plan.Pipeline.State.MemoryMax)
	board := &telemetry.Board{}
	served, err := a.serveRun(f, o, board)
	if err != nil {
		return o.close(err)
	}
	if err := a.printStarted(o, f, served); err != nil {
		return o.close(err)
	}
	ended := make(chan struct{})
	told := make(chan error, 1)
	go func() { told <- a.tell(board, ended, f.until == "end") }()
	sum, err := a.stream(ctx, o, f.id, f.until == "end", board)
	close(ended)
	err = errors.Join(err, <-told)
	if served != nil {
		err = errors.Join(err, served.stop())
	}
	err = errors.Join(err, a.printEnd(sum, board))
	if err := o.close(err); err != nil {
		return fmt.Errorf("run pipeline %s: %w", o.plan.Pipeline.Name, err)
	}
	return nil
}

// stream runs the engine; board sees what it tells.
func (a *app) stream(ctx context.Context, o *opened, id string, untilEnd bool, board *telemetry.Board) (*stream.Summary, error) {
	return stream.Run(ctx, stream.Options{
		Plan: o.plan, Kafka: o.kafka, Bucket: o.bucket, ID: id, UntilEnd: untilEnd, Now: a.now, Log: a.log, Observe: board.Observe,
	})
}

// serveRun starts the page and the metrics. A run never needs them: unless --listen was given, a port that is taken is
// only a warning.
func (a *app) serveRun(f runFlags, o *opened, board *telemetry.Board) (*pageServer, error) {
	if f.listen == "" {
		return nil, nil
	}
	address, err := listenAddress(f.listen)
	if err != nil {
		return nil, err
	}
	b := thisBuild()
	mux := http.NewServeMux()
	err = telemetry.Register(mux, telemetry.Options{Board: board, Version: b.Version, Go: b.Go, Now: a.now, Requests: o.requests})
	if err != nil {
		return nil, err
	}
	name := o.plan.Pipeline.Name
	mux.Handle("GET /", page.Handler(page.Options{
		Title: name, Version: b.Version, Now: a.now, Endpoints: []string{"/metrics", "/healthz", "/readyz", "/api/v1/status"},
		Views: func(ctx context.Context) []page.View {
			a.countTasks(ctx, o, board)
			d := board.Document()
			if d == nil {
				return []page.View{{Name: name, Problem: "starting: no task has been assigned yet"}}
			}
			return []page.View{{Name: name, Document: d}}
		},
	}))
	served, err := serve(address, mux)
	if err != nil && !f.explicit {
		a.complain("tidemark: no status page: %v; say --listen HOST:PORT", err)
		return nil, nil
	}
	return served, err
}

// countTimeout bounds how long a page waits for the number of the pipeline's tasks. Without it the page is as good.
const countTimeout = 2 * time.Second

// countTasks asks once how many partitions the source topics have, as many each: each is a task. It stays so while the pipeline runs.
func (a *app) countTasks(ctx context.Context, o *opened, board *telemetry.Board) {
	if board.Tasks() > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	admin, err := kafka.NewAdmin(o.kafka)
	if err != nil {
		a.log.Warn("count the tasks of the pipeline", "err", err)
		return
	}
	defer admin.Close()
	info, err := admin.Topic(ctx, o.plan.Sources[0].Topic)
	if err != nil {
		a.log.Warn("count the tasks of the pipeline", "err", err)
		return
	}
	board.SetTasks(int(info.Partitions))
}

func (a *app) printStarted(o *opened, f runFlags, served *pageServer) error {
	started := struct {
		Pipeline    string `json:"pipeline"`
		Fingerprint string `json:"fingerprint"`
		ID          string `json:"id"`
		Page        string `json:"page,omitempty"`
	}{Pipeline: o.plan.Pipeline.Name, Fingerprint: o.plan.Fingerprint, ID: f.id}
	where := ""
	if served != nil {
		started.Page = served.url()
		where = "   status " + started.Page
	}
	until := ""
	if f.until != "" {
		until = " until the end"
	}
	return a.result("RunStarted", started, func(p *printer) {
		p.line("running pipeline %s as %s%s%s", started.Pipeline, f.id, until, where)
	})
}

// summaryEvery is how often a run says how it is.
const summaryEvery = time.Minute

// tell prints one summary line a minute and, on the way to an end, a progress bar, until ended.
func (a *app) tell(board *telemetry.Board, ended <-chan struct{}, bar bool) error {
	minute := time.NewTicker(summaryEvery)
	defer minute.Stop()
	return a.follow(board, ended, minute.C, bar)
}

// follow looks at the board now and then: for the progress bar, and to print a summary whenever lines says so. It is a
// goroutine of its own, because a terminal that was stopped must not stop the engine.
func (a *app) follow(board *telemetry.Board, ended <-chan struct{}, lines <-chan time.Time, bar bool) error {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	shown := a.progress("running (offsets)", 0)
	defer shown.End()
	for {
		select {
		case <-ended:
			return nil
		case <-lines:
			if d := board.Document(); d != nil {
				if err := a.printSummary(d); err != nil {
					return err
				}
			}
		case <-look.C:
			if s := board.Status(); s != nil && bar {
				shown.Of(offsets(s))
			}
		}
	}
}

// offsets are how far the process's tasks are, and how far they have to go.
func offsets(s *stream.Status) (done, total int64) {
	for i := range s.Tasks {
		for _, in := range s.Tasks[i].Inputs {
			done += in.Committed
			total += max(in.Committed, in.LastStable)
		}
	}
	return done, total
}

func (a *app) printSummary(d *status.Document) error {
	return a.documentResult(d, func(p *printer) {
		p.line("%s  %d tasks, %s behind, %s", d.At.Format(time.RFC3339), d.Running(),
			plural(d.Lag(), "offset", "offsets"), accountingText(p, d.Accounting))
	})
}

// accountingText is law L3 in one line.
func accountingText(p *printer, c status.Accounting) string {
	verdict := "NOT BALANCED"
	switch {
	case c.Balanced:
		verdict = "balanced"
	case c.Uncounted > 0 && c.Imbalance() == 0:
		verdict = "? of " + plural(c.Uncounted, "task", "tasks") + " nobody can tell: no checkpoint that can be read"
	}
	sound := p.verdict(c.Balanced, verdict)
	if c.Forwarded > 0 || c.Received > 0 {
		return fmt.Sprintf("consumed %s = forwarded %s + late %s + filtered %s + invalid %s; received %s = aggregated %s + duplicate %s   %s",
			count(c.Consumed), count(c.Forwarded), count(c.Late), count(c.Filtered), count(c.Invalid),
			count(c.Received), count(c.Aggregated), count(c.Duplicate), sound)
	}
	return fmt.Sprintf("consumed %s = aggregated %s + duplicate %s + late %s + filtered %s + invalid %s   %s",
		count(c.Consumed), count(c.Aggregated), count(c.Duplicate), count(c.Late), count(c.Filtered), count(c.Invalid), sound)
}

// printRules says how often each rule fired, and what a join has made, if there are any.
func printRules(p *printer, c status.Accounting) {
	for _, r := range c.Rules {
		p.line("rule %s: %s", r.Name, plural(r.Fired, "event", "events"))
	}
	if c.Joined > 0 {
		text := "joined: " + plural(c.Joined, "event", "events")
		if c.JoinedFiltered > 0 {
			text += ", of which rules took " + count(c.JoinedFiltered)
		}
		if c.JoinedInvalid > 0 {
			text += ", invalid " + count(c.JoinedInvalid)
		}
		p.line("%s", text)
	}
}

// printEnd prints the final accounting: of the whole pipeline after a run to the end, of this process's tasks otherwise.
func (a *app) printEnd(sum *stream.Summary, board *telemetry.Board) error {
	if sum == nil {
		if d := board.Document(); d != nil {
			return a.printSummary(d)
		}
		return nil
	}
	return a.result("RunSummary", newRunSummary(sum), func(p *printer) { printRunSummary(p, sum) })
}

// runSummary is the accounting of a run that reached its end.
type runSummary struct {
	Pipeline    string            `json:"pipeline"`
	Fingerprint string            `json:"fingerprint"`
	Tasks       int               `json:"tasks"`
	Accounting  status.Accounting `json:"accounting"`
	Outputs     []status.Output   `json:"outputs"`
	Commits     int64             `json:"commits"`
}

func newRunSummary(sum *stream.Summary) runSummary {
	s := runSummary{
		Pipeline: sum.Pipeline, Fingerprint: sum.Fingerprint, Tasks: sum.Tasks, Commits: sum.Commits,
		Accounting: status.NewAccounting(sum.Counters), Outputs: []status.Output{},
	}
	for _, o := range sum.Counters.Outputs {
		s.Outputs = append(s.Outputs, status.Output{Name: o.Name, Open: o.Open, Closed: o.Closed, Missed: o.Missed})
	}
	return s
}

func printRunSummary(p *printer, sum *stream.Summary) {
	p.line("%s", accountingText(p, status.NewAccounting(sum.Counters)))
	printRules(p, status.NewAccounting(sum.Counters))
	for _, o := range sum.Counters.Outputs {
		p.line("%s", outputText(status.Output{Name: o.Name, Closed: o.Closed, Open: o.Open, Missed: o.Missed}))
	}
}

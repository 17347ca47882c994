package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/curve"
	"github.com/tidemark-io/tidemark/cmd/internal/sourcelog"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) latenessCommand() *cobra.Command {
	var settings []string
	var since, from string
	c := &cobra.Command{
		Use:   "lateness -f FILE",
		Short: "Show how many events would be late under several bounds, and suggest one",
		Long: "Reads the source again, from the lake or with --from topic from Kafka, and counts for each pair of bounds the\n" +
			"events that would have been late, the windows that they would have corrected, and the hours of the lake that\n" +
			"they lie in. --lateness takes allowed_lateness, or max_out_of_orderness/allowed_lateness:\n\n" +
			"  tidemark lateness -f flights.yaml --lateness 30m,1h,2h,60m/3h\n\n" +
			"Copies of an event are left out. Silent partitions count as silent: decisions of past runs are not applied.",
		Args: cobra.NoArgs,
	}
	c.Flags().StringSliceVar(&settings, "lateness", nil, "bounds to try: 10m, 1h, 15m/30m, ... (default: some around the pipeline's own)")
	c.Flags().StringVar(&since, "since", "", "count only events from this event time on, as in 2013-01-09T14:00Z")
	c.Flags().StringVar(&from, "from", "lake", "where the events are read: lake or topic")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		at, err := parseTime("--since", since)
		if err != nil {
			return err
		}
		start := int64(math.MinInt64)
		if !at.IsZero() {
			start = at.UnixMilli()
		}
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		tried, err := triedSettings(o.plan, settings)
		if err != nil {
			return o.close(err)
		}
		cv := curve.New(o.plan, tried, start)
		err = a.readSources(ctx, o, from, func(source int, log *sourcelog.Log) error {
			for _, number := range log.Partitions() {
				p := cv.Partition(source, number)
				err := log.Read(ctx, number, func(r *sourcelog.Record) error { return p.Record(r.Offset, r.Value) })
				if err != nil {
					return fmt.Errorf("partition %d: %w", number, err)
				}
			}
			return nil
		})
		if err := o.close(err); err != nil {
			return fmt.Errorf("lateness: %w", err)
		}
		if cv.Events == 0 {
			return fmt.Errorf("lateness: no event of pipeline %s to judge in the %s: run the pipeline first, or say --from topic", o.plan.Pipeline.Name, from)
		}
		r := newLatenessReport(o.plan, cv, from)
		return a.result("LatenessReport", r, r.print)
	})
	return c
}

// readSources opens each source's log and hands it over.
func (a *app) readSources(ctx context.Context, o *opened, from string, fn func(source int, log *sourcelog.Log) error) error {
	for i := range o.plan.Sources {
		src := &o.plan.Sources[i]
		var log *sourcelog.Log
		var err error
		switch from {
		case "lake":
			log, err = sourcelog.FromLake(ctx, o.bucket, src)
			if errors.Is(err, sourcelog.ErrEmpty) {
				err = fmt.Errorf("%w: run the pipeline first, or say --from topic", err)
			}
		case "topic":
			log, err = sourcelog.FromTopic(ctx, o.kafka, src)
		default:
			err = usagef("--from %s: say lake or topic", from)
		}
		if err != nil {
			return err
		}
		if err := fn(i, log); err != nil {
			return fmt.Errorf("topic %s: %w", src.Topic, err)
		}
	}
	return nil
}

// triedSettings reads --lateness; the pipeline's own bounds are always among them.
func triedSettings(plan *pipeline.Plan, texts []string) ([]curve.Setting, error) {
	if len(texts) == 0 {
		texts = []string{"0s", "10m", "30m", "1h", "2h", "6h", "1d"}
	}
	settings := []curve.Setting{curve.Own}
	own, ownLateness := ownBounds(plan)
	for _, text := range texts {
		s := curve.Setting{OutOfOrderness: -1}
		first, second, both := strings.Cut(text, "/")
		if both {
			var err error
			if s.OutOfOrderness, err = parseShort(first); err != nil {
				return nil, usagef("lateness: --lateness %s: %w", text, err)
			}
			first = second
		}
		var err error
		if s.Lateness, err = parseShort(first); err != nil {
			return nil, usagef("lateness: --lateness %s: %w", text, err)
		}
		if s.OutOfOrderness < 0 || s.OutOfOrderness == own {
			s.OutOfOrderness = -1
			if s.Lateness == ownLateness {
				continue // what the pipeline has
			}
		}
		settings = append(settings, s)
	}
	return settings, nil
}

// ownBounds are the pipeline's, -1 where sources or outputs differ.
func ownBounds(plan *pipeline.Plan) (outOfOrderness, lateness time.Duration) {
	for i := range plan.Sources {
		own := time.Duration(plan.Sources[i].Watermark.OutOfOrderness) * time.Millisecond
		if i > 0 && own != outOfOrderness {
			own = -1
		}
		outOfOrderness = own
	}
	for i := range plan.Outputs {
		own := time.Duration(plan.Outputs[i].Lateness) * time.Millisecond
		if i > 0 && own != lateness {
			own = -1
		}
		lateness = own
	}
	return outOfOrderness, lateness
}

// parseShort reads a duration as a pipeline file says it: 30m, 1d12h, 0.
func parseShort(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	days := time.Duration(0)
	if before, after, ok := strings.Cut(text, "d"); ok {
		n, err := time.ParseDuration(before + "h")
		if err != nil || n < 0 {
			return 0, errors.New("write a duration as in 30m, 1h30m or 2d")
		}
		days, text = n*24, after
		if text == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d%time.Millisecond != 0 {
		return 0, errors.New("write a duration as in 30m, 1h30m or 2d")
	}
	return days + d, nil
}

// latenessReport is what `lateness` tells.
type latenessReport struct {
	Pipeline   string              `json:"pipeline"`
	From       string              `json:"from"`
	Events     int64               `json:"events"`
	Copies     int64               `json:"copies"`
	Filtered   int64               `json:"filtered"`
	Invalid    int64               `json:"invalid"`
	Windows    int                 `json:"windows"`
	First      time.Time           `json:"first"`
	Last       time.Time           `json:"last"`
	Settings   []latenessRow       `json:"settings"`
	Suggestion *latenessSuggestion `json:"suggestion,omitempty"`

	joins bool
}

type latenessRow struct {
	OutOfOrdernessSeconds *float64 `json:"max_out_of_orderness_seconds"` // null: it differs from source to source
	LatenessSeconds       *float64 `json:"allowed_lateness_seconds"`     // null: it differs from output to output
	Own                   bool     `json:"own"`                          // what the pipeline file says
	Late                  int64    `json:"late"`
	LateRatio             float64  `json:"late_ratio"`
	Windows               int      `json:"windows_to_correct"`
	AtLeast               bool     `json:"at_least,omitempty"` // there were more windows than are remembered
	Hours                 int      `json:"lake_hours"`

	bound, lateness time.Duration
}

// latenessSuggestion is the smallest lateness that leaves less than one event in a hundred late.
type latenessSuggestion struct {
	LatenessSeconds float64 `json:"allowed_lateness_seconds"`
	Late            int64   `json:"late"`
	LateRatio       float64 `json:"late_ratio"`
	LaterSeconds    float64 `json:"results_later_seconds"` // than now
	MoreEvents      float64 `json:"more_events_held"`      // on average
	MoreWindows     float64 `json:"more_windows_open"`

	lateness, later time.Duration
}

// lateShare is the share of late events that a suggestion stays below.
const lateShare = 0.01

func newLatenessReport(plan *pipeline.Plan, c *curve.Curve, from string) *latenessReport {
	points := c.Points()
	r := &latenessReport{
		Pipeline: plan.Pipeline.Name, From: from, Events: c.Events, Copies: c.Copies, Filtered: c.Filtered, Invalid: c.Invalid, Windows: c.Windows,
		First: time.UnixMilli(c.First).UTC(), Last: time.UnixMilli(c.Last).UTC(), Settings: []latenessRow{},
		joins: plan.Shape == pipeline.IntervalJoin || plan.Shape == pipeline.Enrich,
	}
	bound, lateness := ownBounds(plan)
	for _, p := range points {
		row := latenessRow{Own: p.Setting == curve.Own, Late: p.Late, LateRatio: float64(p.Late) / float64(c.Events),
			Windows: p.Windows, AtLeast: p.AtLeast, Hours: p.Hours, bound: p.OutOfOrderness, lateness: p.Lateness}
		if row.bound < 0 {
			row.bound = bound
		}
		if row.lateness < 0 {
			row.lateness = lateness
		}
		row.OutOfOrdernessSeconds, row.LatenessSeconds = seconds(row.bound), seconds(row.lateness)
		r.Settings = append(r.Settings, row)
	}
	at, ok := c.Suggest(lateShare)
	if !ok {
		return r
	}
	s := &latenessSuggestion{lateness: curve.Candidates[at], Late: c.LateWith(at)}
	s.LatenessSeconds, s.LateRatio = s.lateness.Seconds(), float64(s.Late)/float64(c.Events)
	s.later = s.lateness - max(lateness, 0)
	s.LaterSeconds = s.later.Seconds()
	if span := float64(c.Last - c.First); span > 0 {
		s.MoreEvents = float64(c.Events) / span * float64(s.later.Milliseconds())
		s.MoreWindows = float64(c.Windows) / span * float64(s.later.Milliseconds())
	}
	r.Suggestion = s
	return r
}

func seconds(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}

func (r *latenessReport) print(p *printer) {
	p.line("%s: %s from %s to %s in %s; left out: %s, %s filtered, %s invalid", r.Pipeline, plural(r.Events, "event", "events"),
		r.First.Format(minuteLayout), r.Last.Format(minuteLayout), plural(r.Windows, "window", "windows"),
		plural(r.Copies, "copy", "copies"), count(r.Filtered), count(r.Invalid))
	rows := [][]string{{"max_out_of_orderness", "allowed_lateness", "late", "late %", "windows to correct", "lake hours touched"}}
	for _, s := range r.Settings {
		windows := count(s.Windows)
		if s.AtLeast {
			windows = "at least " + windows
		}
		if r.joins {
			windows = "-"
		}
		row := []string{shortOrOwn(s.bound), shortOrOwn(s.lateness), count(s.Late), fmt.Sprintf("%.2f", 100*s.LateRatio), windows, count(s.Hours)}
		if s.Own {
			row[len(row)-1] += "   (as it is)"
		}
		rows = append(rows, row)
	}
	p.table(rows)
	s := r.Suggestion
	switch {
	case s == nil:
		p.line("no allowed_lateness up to %s leaves less than %.0f %% late: look at the event times, or leave it to reconciliation",
			short(curve.Candidates[len(curve.Candidates)-1]), 100*lateShare)
	case s.later == 0:
		p.line("suggestion: allowed_lateness: %s, as it is, leaves %.2f %% late", short(s.lateness), 100*s.LateRatio)
	case s.later < 0:
		p.line("suggestion: allowed_lateness: %s leaves %.2f %% late; results come %s sooner", short(s.lateness), 100*s.LateRatio, short(-s.later))
	default:
		p.line("suggestion: allowed_lateness: %s leaves %.2f %% late; results come %s later, and about %s more and %s more are held meanwhile",
			short(s.lateness), 100*s.LateRatio, short(s.later), plural(int64(math.Ceil(s.MoreWindows)), "window", "windows"), plural(int64(math.Ceil(s.MoreEvents)), "event", "events"))
	}
}

func shortOrOwn(d time.Duration) string {
	if d < 0 {
		return "as it is"
	}
	return short(d)
}

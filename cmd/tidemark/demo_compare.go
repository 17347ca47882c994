package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// compare sets what the stream published against what the raw lake holds. The lake's side is counted here, straight
// from the files, by a dozen lines that share nothing with the windows.
func (d *demo) compare(ctx context.Context) error {
	var err error
	if d.facts.Stream, err = d.streamSays(ctx); err != nil {
		return err
	}
	if d.facts.Lake, err = d.lakeSays(ctx); err != nil {
		return err
	}
	s, l := d.facts.Stream, d.facts.Lake
	late := d.facts.Accounting.Late
	return errors.Join(
		d.say("\n  what the stream says      mean delay %5.2f min    delayed over 60 min %5.2f %%", s.Mean, s.Percent),
		d.say("  what the lake says        mean delay %5.2f min    delayed over 60 min %5.2f %%", l.Mean, l.Percent),
		d.say("  %s late departures came after their windows had closed. Most engines drop them here.\n", count(late)),
	)
}

// streamSays adds up what the stream itself published, corrections left out.
func (d *demo) streamSays(ctx context.Context) (delays, error) {
	var sum delays
	output, codec := d.o.plan.Pipeline.Outputs[0], d.o.plan.Codecs[0]
	at := map[string]int{}
	for i, agg := range output.Aggregate {
		at[agg.Name] = i
	}
	var row curated.Row
	err := readTopic(ctx, d.o.kafka, output.Name, func(r *kafka.Record) error {
		if err := codec.Decode(r.Key, r.Value, &row); err != nil {
			return err
		}
		if row.Run != "" {
			return nil
		}
		n := row.Values[at["flights"]].Int()
		sum.Flights += n
		sum.Over60 += row.Values[at["over_60"]].Int()
		sum.minutes += row.Values[at["mean_delay"]].Float() * float64(n)
		return nil
	})
	sum.settle()
	return sum, err
}

// lakeSays counts the distinct departures of the raw lake.
func (d *demo) lakeSays(ctx context.Context) (delays, error) {
	var sum delays
	t, err := lookTopic(ctx, d.o.bucket, d.o.plan.Pipeline.Source.Topic)
	if err != nil || t == nil {
		return sum, err
	}
	projection, err := d.o.plan.Sources[0].Schema.Project([]string{"carrier", "flight", "scheduled_departure", "departure_delay"})
	if err != nil {
		return sum, err
	}
	row, seen := make([]schema.Value, 4), map[string]bool{}
	err = eachFile(ctx, t, func(f lake.File) error {
		return lake.ReadFile(ctx, d.o.bucket, f, func(s *lake.Stored) error {
			if err := projection.Decode(s.Payload, row); err != nil {
				return err
			}
			id := fmt.Sprintf("%s|%d|%d", row[0].Bytes, row[1].Int(), row[2].Int())
			if seen[id] {
				return nil
			}
			seen[id] = true
			sum.Flights++
			sum.minutes += float64(row[3].Int())
			if row[3].Int() > 60 {
				sum.Over60++
			}
			return nil
		})
	})
	sum.settle()
	return sum, err
}

// planned notes and tells the plan.
func (d *demo) planned(plan *reconcile.Plan) error {
	c := &d.facts.Correct
	c.Due, c.Units, c.PlanID, c.Causes, c.Guard = plan.Due, plan.Partitions, plan.ID, plan.Causes, plan.Guard
	c.Windows, c.Checked = plan.Windows.Changed+plan.Windows.Added+plan.Windows.Removed, plan.Windows.Checked
	if plan.Due == 0 {
		return nil
	}
	return d.say("%s", planLine(plan))
}

// explain tells the stories of the hero windows: what the stream said, what the lake has, and why.
func (d *demo) explain(ctx context.Context, r *reconcile.Reconciler) error {
	for _, w := range heroWindows {
		start, err := time.Parse(time.RFC3339, w.start)
		if err != nil {
			return err
		}
		e, err := r.Explain(ctx, reconcile.ExplainOptions{Key: w.key, Window: start})
		if err != nil {
			return fmt.Errorf("explain %s %s: %w", w.key, w.start, err)
		}
		h, err := heroOf(e)
		if err != nil {
			return err
		}
		d.facts.Heroes = append(d.facts.Heroes, h)
	}
	for i, h := range d.facts.Heroes {
		if i == 0 {
			if err := d.say("  %-26s %-16s %-22s %s", d.o.plan.Pipeline.Outputs[0].Name, "flights", "mean_delay", "over_60"); err != nil {
				return err
			}
		}
		if err := d.say("  %-26s %-16s %-22s %s", h.Key+" "+h.Window.Format(minuteLayout), h.change("flights"), h.change("mean_delay"), h.change("over_60")); err != nil {
			return err
		}
	}
	if d.facts.Correct.Guard.Verdict == "hold" {
		g := d.facts.Correct.Guard
		if err := d.say("guard: %s is %.2g, its limit %.2g; %s %s", g.Rule, g.Actual, g.Limit, demoReason, d.facts.Correct.PlanID); err != nil {
			return err
		}
	}
	h := d.facts.Heroes[0]
	for _, l := range h.Late {
		err := d.say("explain %s %s: late: %s %s, %s after the window closed; lake %s", h.Key, h.Window.Format(minuteLayout),
			l.Place, l.Flight, longTime(time.Duration(l.BehindMs)*time.Millisecond), l.File)
		if err != nil {
			return err
		}
	}
	return nil
}

// heroOf is a window's story from its explanation: the stream published first.
func heroOf(e *reconcile.Explanation) (hero, error) {
	h := hero{Key: e.Key, Window: e.WindowStart, Before: map[string]any{}, After: map[string]any{}, Late: []heroLate{}}
	if len(e.Published) == 0 {
		return h, fmt.Errorf("nothing is published for %s %s", e.Key, e.WindowStart)
	}
	for _, v := range e.Published[0].Values {
		h.Before[v.Name] = v.Value
	}
	for _, v := range e.Batch {
		h.After[v.Name] = v.Value
	}
	for _, at := range e.Late {
		l := heroLate{Place: at.Place, BehindMs: at.BehindMs, File: at.File}
		var event struct {
			Carrier     string `json:"carrier"`
			Flight      int    `json:"flight"`
			Destination string `json:"destination"`
		}
		if err := unmarshal(at.Event, &event); err != nil {
			return h, fmt.Errorf("event at %s: %w", at.Place, err)
		}
		l.Flight = strings.TrimSpace(fmt.Sprintf("%s%d to %s", event.Carrier, event.Flight, event.Destination))
		h.Late = append(h.Late, l)
	}
	return h, nil
}

func (h *hero) change(name string) string {
	return text(h.Before[name]) + " -> " + text(h.After[name])
}

func text(v any) string {
	if n, ok := v.(reconcile.Number); ok {
		return valueText(n)
	}
	return "none"
}

package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Description is what a plan will do, for people: validate prints it.
type Description struct {
	Shape       string                  `json:"shape"`
	Sources     []SourceDescription     `json:"sources"`
	Rules       []ExpressionDescription `json:"rules,omitempty"`
	Expressions []ExpressionDescription `json:"expressions,omitempty"` // lets, group_by and arguments that are more than a field
	Outputs     []OutputDescription     `json:"outputs"`
}

// SourceDescription is one source: what is read of it.
type SourceDescription struct {
	Name       string   `json:"name,omitempty"`
	Topic      string   `json:"topic"`
	Format     string   `json:"format"`
	FieldsRead []string `json:"fields_read"` // event id and event time among them
	Unnest     string   `json:"unnest,omitempty"`
}

// ExpressionDescription is one expression and what it costs.
type ExpressionDescription struct {
	Path string `json:"path"` // where it stands in the file
	Text string `json:"text"`
	Type string `json:"type"`
	Cost string `json:"cost"`
	Slow bool   `json:"slow,omitempty"` // it is interpreted
}

// OutputDescription is one output.
type OutputDescription struct {
	Name            string `json:"name"`
	Windows         string `json:"windows"`
	WindowsPerEvent int64  `json:"windows_per_event"`
	// Repartition is why its groups need the repartition topic; "" if they don't.
	Repartition string `json:"repartition,omitempty"`
	// StateBytesPerKey is an estimate of the state of one group while an event's windows are open: of all windows that
	// hold one event, with aggregates that have seen one event. Sketches and lists grow with what they see.
	StateBytesPerKey int64         `json:"state_bytes_per_key"`
	UpdateEvery      time.Duration `json:"update_every,omitempty"`
	Unreconciled     string        `json:"unreconciled,omitempty"`
}

// Line is one line of a description: what it is about, and what there is to say.
type Line struct{ Subject, Text string }

// Describe says what the plan will do.
func (p *Plan) Describe() Description {
	d := Description{Shape: p.Shape.String()}
	for i := range p.Sources {
		s := &p.Sources[i]
		d.Sources = append(d.Sources, SourceDescription{Name: s.Name, Topic: s.Topic, Format: s.Source.Format, FieldsRead: s.Reader.Fields(), Unnest: s.Source.Unnest})
	}
	d.Rules, d.Expressions = p.rules, p.expressions
	for i := range p.Outputs {
		o := &p.Outputs[i]
		d.Outputs = append(d.Outputs, OutputDescription{Name: o.Name, Windows: describeWindows(o), WindowsPerEvent: o.WindowsPerEvent(), Repartition: p.Repartition[i],
			StateBytesPerKey: stateBytes(o) * o.WindowsPerEvent(), UpdateEvery: p.Updates[i], Unreconciled: p.Unreconciled[i]})
	}
	return d
}

// Lines is the description as text.
func (d Description) Lines() []Line {
	var lines []Line
	add := func(subject, format string, args ...any) {
		lines = append(lines, Line{subject, fmt.Sprintf(format, args...)})
	}
	for _, s := range d.Sources {
		subject := "source"
		if s.Name != "" {
			subject += " " + s.Name
		}
		text := fmt.Sprintf("topic %s (%s), reads %s", s.Topic, s.Format, strings.Join(s.FieldsRead, ", "))
		if s.Unnest != "" {
			text += ", each element of " + s.Unnest
		}
		add(subject, "%s", text)
	}
	if len(d.Sources) > 1 {
		add("sources", "%s", d.Shape)
	}
	for _, e := range append(append([]ExpressionDescription{}, d.Rules...), d.Expressions...) {
		add(e.Path, "%s: %s", e.Type, e.Cost)
	}
	for _, o := range d.Outputs {
		windows := "1 window"
		if o.WindowsPerEvent != 1 {
			windows = strconv.FormatInt(o.WindowsPerEvent, 10) + " windows"
		}
		add("output "+o.Name, "%s, %s an event, about %d bytes of state a key", o.Windows, windows, o.StateBytesPerKey)
		if o.Repartition == "" {
			add("output "+o.Name, "no repartition")
		} else {
			add("output "+o.Name, "repartition: %s", o.Repartition)
		}
		if o.UpdateEvery > 0 {
			add("output "+o.Name, "open windows are published every %s", formatDuration(o.UpdateEvery))
		}
		if o.Unreconciled != "" {
			add("output "+o.Name, "not reconciled: %s", o.Unreconciled)
		}
	}
	return lines
}

// describeWindows says how time is cut.
func describeWindows(o *window.Output) string {
	span := func(ms int64) string { return formatDuration(time.Duration(ms) * time.Millisecond) }
	text := "windows of " + span(o.Size)
	switch {
	case o.Session():
		text = "sessions that end after " + span(o.Gap) + ", cut every " + span(o.Size)
	case o.Every > 0 && o.Every < o.Size:
		text += " every " + span(o.Every)
	}
	if o.Zone != nil {
		text += " in " + o.Zone.Name()
	}
	return text
}

// stateBytes estimates the state of one group of one window: key, counts and aggregates. Sketches are taken as they are
// after nothing.
func stateBytes(o *window.Output) int64 {
	const head, word = 56, 8 // of a record: hash, key of up to 16 bytes, events, duplicates; its place in the table
	n := int64(head)
	seen := make(map[string]bool)
	for _, a := range o.Aggs {
		words, cell := int64(0), ""
		switch a.Func {
		case window.CountIf, window.Min, window.Max:
			words, cell = 1, a.Func.String()
		case window.Sum, window.Mean: // they share a sum
			words, cell = 3, "sum"
		case window.Custom:
			cell = a.Custom.Cell()
		}
		if cell += "/" + strconv.Itoa(a.Arg); words == 0 && a.Custom == nil || seen[cell] {
			continue
		}
		seen[cell] = true
		n += words * word
		if a.Custom != nil {
			n += word + a.Custom.New().Bytes()
		}
	}
	return n
}

// describeExpressions notes what each expression costs.
func (b *builder) describeExpressions(plan *Plan) {
	describe := func(path string, p *expr.Program) ExpressionDescription {
		return ExpressionDescription{Path: path, Text: strings.TrimSpace(p.Source()), Type: b.resultType(p).String(), Cost: p.Cost(), Slow: p.Interpreted()}
	}
	for i, r := range b.rules {
		plan.rules = append(plan.rules, describe(element("rules", i)+" "+r.name, r.program))
	}
	named := make(map[*expr.Program]bool)
	for _, l := range b.p.Let {
		if p := b.env.Lets[l.Name]; p != nil && !named[p] {
			named[p] = true
			plan.expressions = append(plan.expressions, describe("let."+l.Name, p))
		}
	}
	note := func(path string, p *expr.Program) {
		if !p.Plain() && !named[p] {
			plan.expressions = append(plan.expressions, describe(path, p))
		}
	}
	for i, out := range b.outputs {
		at := element("outputs", i)
		for j, p := range out.group {
			note(element(at+".group_by", j), p)
		}
		done := make(map[int]bool)
		for j, agg := range out.aggs {
			if agg.Arg >= 0 && !done[agg.Arg] {
				done[agg.Arg] = true
				note(at+".aggregate."+out.aggs[j].Name, out.args[agg.Arg])
			}
		}
	}
}

package main

import (
	"fmt"
	"strings"
	"time"
)

func (v *validation) print(p *printer) {
	p.line("%s: ok", v.File)
	rows := [][]string{{"  pipeline", v.Pipeline}, {"  fingerprint", v.Fingerprint}}
	if len(v.Sources) == 1 {
		rows = append(rows, sourceRows("  ", &v.Sources[0])...)
	}
	p.table(append(rows, []string{"  repartition", v.repartitionText()}))
	for i := range v.Sources {
		if s := &v.Sources[i]; len(v.Sources) > 1 {
			p.line("  source %s", s.Name)
			p.table(sourceRows("    ", s))
		}
	}
	if text := v.meetText(); text != "" {
		p.line("  %s", text)
	}
	for _, r := range v.Rules {
		p.line("  rule %s: %s (%s)", r.Name, ruleText(&r), r.Cost)
	}
	for _, e := range v.Expressions {
		if name, ok := strings.CutPrefix(e.Path, "let."); ok {
			p.line("  let %s = %s: %s (%s)", name, e.Text, e.Type, e.Cost)
		}
	}
	for i := range v.Outputs {
		v.Outputs[i].print(p)
	}
	for _, w := range v.Warnings {
		p.line("  warning: %s", w)
	}
}

func sourceRows(indent string, s *validationSource) [][]string {
	id := strings.Join(s.EventID, ", ")
	if id == "" {
		id = "none: every record counts"
	}
	schema := s.Schema
	if s.Message != "" {
		schema = s.Message + " in " + s.Schema
	}
	rows := [][]string{
		{indent + "topic", fmt.Sprintf("%s (%s, %s)", s.Topic, s.Format, schema)},
		{indent + "event time", s.EventTime},
		{indent + "event id", id},
		{indent + "fields read", strings.Join(s.FieldsRead, ", ")},
	}
	if s.Unnest != "" {
		rows = append(rows, []string{indent + "unnest", s.Unnest + ": each element is an event"})
	}
	return rows
}

// repartitionText says whether events have to be brought together by group, and why.
func (v *validation) repartitionText() string {
	if !v.Repartition && len(v.Sources) > 1 {
		return "no: the topics' keys are part of every group"
	}
	if !v.Repartition {
		return "no: the topic's key is part of every group"
	}
	var reasons []string
	outputs := map[string][]string{} // by reason
	for _, o := range v.Outputs {
		if o.Repartition == "" {
			continue
		}
		if outputs[o.Repartition] == nil {
			reasons = append(reasons, o.Repartition)
		}
		outputs[o.Repartition] = append(outputs[o.Repartition], o.Name)
	}
	if len(v.Outputs) > 1 {
		for i, reason := range reasons {
			reasons[i] = strings.Join(outputs[reason], ", ") + ": " + reason
		}
	}
	return fmt.Sprintf("yes, through %s: %s", v.RepartitionTopic, strings.Join(reasons, "; "))
}

// meetText says how several sources meet.
func (v *validation) meetText() string {
	j := v.Join
	switch {
	case j == nil && len(v.Sources) > 1:
		return "co-group: every event enters the windows of its group, the other sources' fields null"
	case j == nil:
		return ""
	case j.Kind == "enrich":
		return fmt.Sprintf("enrich: each event of %s with the version of %s in force at its time, where %s; it waits %s for versions that come late",
			j.Left, j.Right, j.on(), short(j.lateness))
	}
	return fmt.Sprintf("join: %s with %s that are %s, where %s; an event is late %s behind the watermark; kept for pairs: %s %s, %s %s",
		j.Left, j.Right, between(j.lower, j.upper), j.on(), short(j.lateness),
		j.Left, short(max(0, j.upper)+j.lateness), j.Right, short(max(0, -j.lower)+j.lateness))
}

// on is what must be equal.
func (j *validationJoin) on() string {
	parts := make([]string, len(j.LeftKey))
	for i := range parts {
		parts[i] = fmt.Sprintf("%s.%s = %s.%s", j.Left, j.LeftKey[i], j.Right, j.RightKey[i])
	}
	return strings.Join(parts, " and ")
}

// between says where one time lies beside another.
func between(lower, upper time.Duration) string {
	switch {
	case lower == 0 && upper == 0:
		return "of the same time"
	case lower >= 0:
		return fmt.Sprintf("%s to %s later", short(lower), short(upper))
	case upper <= 0:
		return fmt.Sprintf("%s to %s earlier", short(-upper), short(-lower))
	}
	return fmt.Sprintf("up to %s earlier or %s later", short(-lower), short(upper))
}

func ruleText(r *validationRule) string {
	if r.When != "" {
		return r.Action + " when " + strings.TrimSpace(r.When)
	}
	return r.Action + " unless " + strings.TrimSpace(r.Expect)
}

func (o *validationOutput) print(p *printer) {
	p.line("  output %s: %s, open for %s after its end", o.Name, o.windowText(), short(o.lateness))
	for _, agg := range o.Aggregates {
		p.line("    %s", agg)
	}
	if o.update > 0 {
		p.line("    published every %s while a window is open, and when it closes", short(o.update))
	}
	if o.LateOffReason != "" {
		p.line("    late events are not corrected: %s", o.LateOffReason)
	}
	p.line("    state: about %s a group", plural(o.StateBytes, "byte", "bytes"))
}

// windowText says how the output cuts time, and by what it groups.
func (o *validationOutput) windowText() string {
	by := " by " + o.groupText()
	if len(o.GroupBy) == 0 {
		by = " over all events"
	}
	zone := ""
	if o.window.Timezone != "" {
		zone = " of " + o.window.Timezone
	}
	switch w := o.window; {
	case w.Hopping != nil:
		return fmt.Sprintf("%s every %s%s%s (each event is in %s)", short(w.Hopping.Size), short(w.Hopping.Every), zone, by,
			plural(o.WindowsPerEvent, "window", "windows"))
	case w.Session != nil:
		return fmt.Sprintf("sessions%s that end after %s of silence, cut at every %s%s", by, short(w.Session.Gap), short(w.Session.Within), zone)
	}
	return "every " + short(o.window.Tumbling) + zone + by
}

func (o *validationOutput) groupText() string {
	names := make([]string, len(o.GroupBy))
	for i, name := range o.GroupBy {
		names[i] = name
		if text := o.GroupExpressions[name]; text != "" {
			names[i] = fmt.Sprintf("%s (%s)", name, strings.TrimSpace(text))
		}
	}
	return strings.Join(names, ", ")
}

package main

import (
	"cmp"
	"path/filepath"
	"time"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// validation is what `validate` tells of a sound pipeline file. Topic to FieldsRead are of the first source.
type validation struct {
	File        string   `json:"file"`
	OK          bool     `json:"ok"`
	Pipeline    string   `json:"pipeline"`
	Fingerprint string   `json:"fingerprint"`
	Topic       string   `json:"topic"`
	EventTime   string   `json:"event_time"`
	EventID     []string `json:"event_id"`
	FieldsRead  []string `json:"fields_read"`
	Repartition bool     `json:"repartition"`
	// RepartitionTopic is where events are brought together by group, if they must be.
	RepartitionTopic string                 `json:"repartition_topic,omitempty"`
	Shape            string                 `json:"shape"`
	Sources          []validationSource     `json:"sources"`
	Join             *validationJoin        `json:"join,omitempty"`
	Rules            []validationRule       `json:"rules"`
	Expressions      []validationExpression `json:"expressions"` // lets, groups and arguments
	Outputs          []validationOutput     `json:"outputs"`
	Warnings         []string               `json:"warnings"`
}

type validationSource struct {
	Name       string   `json:"name,omitempty"`
	Topic      string   `json:"topic"`
	Format     string   `json:"format"`
	Schema     string   `json:"schema"` // file
	Message    string   `json:"message,omitempty"`
	EventTime  string   `json:"event_time"`
	EventID    []string `json:"event_id"`
	Key        []string `json:"key"`
	FieldsRead []string `json:"fields_read"`
	Unnest     string   `json:"unnest,omitempty"`
}

// validationJoin says how two sources are joined. Bounds are of the right event's time less the left one's.
type validationJoin struct {
	Kind            string   `json:"kind"` // "interval" or "enrich"
	Left            string   `json:"left"` // of enrich: the events
	Right           string   `json:"right"`
	LeftKey         []string `json:"left_key"`
	RightKey        []string `json:"right_key"`
	LowerSeconds    *float64 `json:"lower_seconds,omitempty"`
	UpperSeconds    *float64 `json:"upper_seconds,omitempty"`
	LatenessSeconds float64  `json:"allowed_lateness_seconds"`

	lower, upper, lateness time.Duration
}

type validationRule struct {
	Name   string `json:"name"`
	When   string `json:"when,omitempty"`
	Expect string `json:"expect,omitempty"`
	Action string `json:"action"` // filter, quarantine or count
	Cost   string `json:"cost"`
	Slow   bool   `json:"interpreted"`
}

type validationExpression struct {
	Path string `json:"path"`
	Text string `json:"text"`
	Type string `json:"type"`
	Cost string `json:"cost"`
	Slow bool   `json:"interpreted"`
}

type validationOutput struct {
	Name             string            `json:"name"`
	GroupBy          []string          `json:"group_by"`
	GroupExpressions map[string]string `json:"group_expressions,omitempty"`
	Kind             string            `json:"window"`         // tumbling, hopping or session
	WindowSeconds    float64           `json:"window_seconds"` // of sessions: how long one is at most, at whose multiples it is cut
	EverySeconds     float64           `json:"every_seconds,omitempty"`
	GapSeconds       float64           `json:"gap_seconds,omitempty"`
	Timezone         string            `json:"timezone"`
	WindowsPerEvent  int64             `json:"windows_per_event"`
	LatenessSeconds  float64           `json:"allowed_lateness_seconds"`
	Aggregates       []string          `json:"aggregates"`
	StateBytes       int64             `json:"state_bytes_per_key"` // an estimate
	Repartition      string            `json:"repartition,omitempty"`
	Emit             string            `json:"emit"`
	UpdateSeconds    float64           `json:"update_every_seconds,omitempty"`
	Late             string            `json:"late"`
	LateOffReason    string            `json:"late_off_reason,omitempty"`

	window   pipeline.Window
	lateness time.Duration
	update   time.Duration
}

func newValidation(file string, plan *pipeline.Plan) *validation {
	d := plan.Describe()
	v := &validation{
		File: file, OK: true, Pipeline: plan.Pipeline.Name, Fingerprint: plan.Fingerprint, Repartition: plan.Rekeyed, Shape: d.Shape,
		Rules: []validationRule{}, Expressions: []validationExpression{}, Warnings: warningsOf(plan, d),
	}
	if plan.Rekeyed {
		v.RepartitionTopic = plan.Pipeline.RepartitionTopic()
	}
	for i := range plan.Sources {
		v.Sources = append(v.Sources, newValidationSource(&plan.Sources[i], d.Sources[i].FieldsRead))
	}
	first := v.Sources[0]
	v.Topic, v.EventTime, v.EventID, v.FieldsRead = first.Topic, first.EventTime, first.EventID, first.FieldsRead
	v.Join = newValidationJoin(plan)
	for i, r := range plan.Pipeline.Rules {
		v.Rules = append(v.Rules, validationRule{Name: r.Name, When: r.When, Expect: r.Expect, Action: cmp.Or(r.Then, r.Else),
			Cost: d.Rules[i].Cost, Slow: d.Rules[i].Slow})
	}
	for _, e := range d.Expressions {
		v.Expressions = append(v.Expressions, validationExpression(e))
	}
	for i := range plan.Pipeline.Outputs {
		v.Outputs = append(v.Outputs, newValidationOutput(&plan.Pipeline.Outputs[i], &d.Outputs[i]))
	}
	return v
}

func newValidationSource(s *pipeline.SourcePlan, fields []string) validationSource {
	ref := s.Spec.Schema
	return validationSource{
		Name: s.Name, Topic: s.Topic, Format: s.Spec.Format, Schema: filepath.ToSlash(cmp.Or(ref.File, ref.JSONSchema, ref.Descriptor)),
		Message: ref.Message, EventTime: s.Spec.EventTime, EventID: s.Spec.EventID, Key: s.Spec.Key, FieldsRead: fields, Unnest: s.Spec.Unnest,
	}
}

func newValidationJoin(plan *pipeline.Plan) *validationJoin {
	if plan.Shape != pipeline.IntervalJoin && plan.Shape != pipeline.Enrich {
		return nil
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	left, right := &plan.Sources[plan.Join.Left], &plan.Sources[plan.Join.Right]
	j := &validationJoin{
		Kind: "enrich", Left: left.Name, Right: right.Name, LeftKey: left.Spec.Key, RightKey: right.Spec.Key,
		lateness: ms(plan.Join.Lateness), LatenessSeconds: ms(plan.Join.Lateness).Seconds(),
	}
	if plan.Shape == pipeline.IntervalJoin {
		j.Kind, j.lower, j.upper = "interval", ms(plan.Join.Lower), ms(plan.Join.Upper)
		lower, upper := j.lower.Seconds(), j.upper.Seconds()
		j.LowerSeconds, j.UpperSeconds = &lower, &upper
	}
	return j
}

func newValidationOutput(o *pipeline.Output, d *pipeline.OutputDescription) validationOutput {
	out := validationOutput{
		Name: o.Name, GroupBy: o.GroupBy, GroupExpressions: o.GroupExprs, Kind: "tumbling", Timezone: cmp.Or(o.Window.Timezone, "UTC"),
		WindowsPerEvent: d.WindowsPerEvent, LatenessSeconds: o.AllowedLateness.Seconds(), WindowSeconds: o.Window.Tumbling.Seconds(),
		StateBytes: d.StateBytesPerKey, Repartition: d.Repartition, Emit: o.Emit, UpdateSeconds: o.UpdateEvery.Seconds(),
		Late: o.Late, LateOffReason: o.LateOffReason, window: o.Window, lateness: o.AllowedLateness, update: o.UpdateEvery,
	}
	switch w := o.Window; {
	case w.Hopping != nil:
		out.Kind, out.WindowSeconds, out.EverySeconds = "hopping", w.Hopping.Size.Seconds(), w.Hopping.Every.Seconds()
	case w.Session != nil:
		out.Kind, out.WindowSeconds, out.GapSeconds = "session", w.Session.Within.Seconds(), w.Session.Gap.Seconds()
	}
	for _, agg := range o.Aggregate {
		out.Aggregates = append(out.Aggregates, agg.Name+" = "+agg.Call)
	}
	return out
}

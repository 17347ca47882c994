package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// validation is what `validate` tells of a sound pipeline file.
type validation struct {
	File        string             `json:"file"`
	OK          bool               `json:"ok"`
	Pipeline    string             `json:"pipeline"`
	Fingerprint string             `json:"fingerprint"`
	Topic       string             `json:"topic"`
	EventTime   string             `json:"event_time"`
	EventID     []string           `json:"event_id"`
	FieldsRead  []string           `json:"fields_read"`
	Repartition bool               `json:"repartition"`
	Outputs     []validationOutput `json:"outputs"`
}

type validationOutput struct {
	Name            string   `json:"name"`
	GroupBy         []string `json:"group_by"`
	WindowSeconds   float64  `json:"window_seconds"`
	LatenessSeconds float64  `json:"allowed_lateness_seconds"`
	Aggregates      []string `json:"aggregates"`

	window, lateness time.Duration
}

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate -f FILE",
		Short: "Check a pipeline file: all faults at once, each with its line and column",
		Args:  cobra.NoArgs,
		RunE: a.command(func(context.Context, []string) error {
			plan, err := a.load()
			if err != nil && a.file != "" && a.output == "json" {
				return errors.Join(a.result("Validation", newInvalid(a.file, err), nil), err)
			}
			if err != nil {
				return err
			}
			v := newValidation(a.file, plan)
			return a.result("Validation", v, v.print)
		}),
	}
}

// invalid is what `validate -o json` tells of a file that isn't sound. People read the same on stderr.
type invalid struct {
	File   string         `json:"file"`
	OK     bool           `json:"ok"`
	Faults []invalidFault `json:"faults"`
}

type invalidFault struct {
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func newInvalid(file string, err error) *invalid {
	v := &invalid{File: file}
	var faults pipeline.Faults
	if !errors.As(err, &faults) {
		v.Faults = []invalidFault{{Message: err.Error()}}
	}
	for _, f := range faults {
		v.Faults = append(v.Faults, invalidFault{Line: f.Line, Col: f.Col, Path: f.Path, Message: f.Msg, Hint: f.Hint})
	}
	return v
}

func newValidation(file string, plan *pipeline.Plan) *validation {
	p := plan.Pipeline
	v := &validation{
		File: file, OK: true, Pipeline: p.Name, Fingerprint: plan.Fingerprint, Topic: p.Source.Topic,
		EventTime: p.Source.EventTime, EventID: p.Source.EventID, FieldsRead: plan.Decoder.Fields(),
	}
	for _, o := range p.Outputs {
		out := validationOutput{
			Name: o.Name, GroupBy: o.GroupBy, window: o.Window.Tumbling, lateness: o.AllowedLateness,
			WindowSeconds: o.Window.Tumbling.Seconds(), LatenessSeconds: o.AllowedLateness.Seconds(),
		}
		for _, agg := range o.Aggregate {
			out.Aggregates = append(out.Aggregates, agg.Name+" = "+agg.Call)
		}
		v.Outputs = append(v.Outputs, out)
	}
	return v
}

func (v *validation) print(p *printer) {
	id := strings.Join(v.EventID, ", ")
	if id == "" {
		id = "none: every record counts"
	}
	p.line("%s: ok", v.File)
	p.table([][]string{
		{"  pipeline", v.Pipeline},
		{"  fingerprint", v.Fingerprint},
		{"  topic", v.Topic},
		{"  event time", v.EventTime},
		{"  event id", id},
		{"  fields read", strings.Join(v.FieldsRead, ", ")},
		{"  repartition", "no: the topic's key is part of every group"},
	})
	for _, o := range v.Outputs {
		p.line("  output %s: every %s by %s, open for %s after its end", o.Name, short(o.window), strings.Join(o.GroupBy, ", "), short(o.lateness))
		for _, agg := range o.Aggregates {
			p.line("    %s", agg)
		}
	}
}

// short is a duration as a pipeline file says it: 1h, 30m, 1h30m.
func short(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	text := ""
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / unit.size; n > 0 {
			text += fmt.Sprintf("%d%s", n, unit.name)
			d -= n * unit.size
		}
	}
	return text
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

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

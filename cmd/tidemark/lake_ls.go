package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake"
)

// lakeLine is one line of `lake ls`: a lake partition, or with --files one file of it.
type lakeLine struct {
	Topic     string `json:"topic"`
	Partition string `json:"partition"` // the hour, or "quarantine"
	Path      string `json:"path,omitempty"`
	Files     int    `json:"files"`
	Records   int64  `json:"records"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256,omitempty"`
}

const quarantine = "quarantine"

func (a *app) lakeListCommand() *cobra.Command {
	var topic, hour string
	var files bool
	c := &cobra.Command{
		Use:   "ls -f FILE",
		Short: "List the hours of the lake with their files, records and bytes",
		Args:  cobra.NoArgs,
	}
	c.Flags().StringVar(&topic, "topic", "", "only this topic of the pipeline")
	c.Flags().StringVar(&hour, "hour", "", "only this hour, as in 2013-01-09T14:00Z")
	c.Flags().BoolVar(&files, "files", false, "one line a file")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		err = o.close(a.lakeList(ctx, o, topic, hour, files))
		if err != nil {
			return fmt.Errorf("lake ls: %w", err)
		}
		return nil
	})
	return c
}

func (a *app) lakeList(ctx context.Context, o *opened, topic, hour string, files bool) error {
	topics, err := chooseTopics(o.plan, topic)
	if err != nil {
		return err
	}
	at, err := parseTime("--hour", hour)
	if err != nil {
		return err
	}
	only := ""
	if !at.IsZero() {
		only = lake.Hour(at.UnixMilli())
	}
	var lines []lakeLine
	for _, name := range topics {
		t, err := lookTopic(ctx, o.bucket, name)
		if err != nil || t == nil {
			if err != nil {
				return err
			}
			continue
		}
		of, err := linesOf(ctx, t, name, only, files)
		if err != nil {
			return fmt.Errorf("topic %s: %w", name, err)
		}
		lines = append(lines, of...)
	}
	return a.printLakeLines(lines, files)
}

func linesOf(ctx context.Context, t *lake.Topic, topic, only string, files bool) ([]lakeLine, error) {
	hours := map[string]*lakeLine{}
	var lines []lakeLine
	err := eachFile(ctx, t, func(f lake.File) error {
		partition := f.Hour
		if f.Quarantine {
			partition = quarantine
		}
		if only != "" && partition != only {
			return nil
		}
		if files {
			lines = append(lines, lakeLine{Topic: topic, Partition: partition, Path: f.Path, Files: 1, Records: f.Records, Bytes: f.Bytes, SHA256: f.SHA256})
			return nil
		}
		if hours[partition] == nil {
			hours[partition] = &lakeLine{Topic: topic, Partition: partition}
		}
		h := hours[partition]
		h.Files, h.Records, h.Bytes = h.Files+1, h.Records+f.Records, h.Bytes+f.Bytes
		return nil
	})
	for _, h := range hours {
		lines = append(lines, *h)
	}
	slices.SortFunc(lines, func(x, y lakeLine) int {
		return cmp.Or(cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Path, y.Path))
	})
	return lines, err
}

func (a *app) printLakeLines(lines []lakeLine, files bool) error {
	p := a.printer()
	if a.output == "json" {
		for _, l := range lines {
			text, err := json.Marshal(l)
			if err != nil {
				return fmt.Errorf("encode: %w", err)
			}
			p.line("%s", text)
		}
		return p.flush()
	}
	rows := [][]string{{"TOPIC", "PARTITION", "FILES", "RECORDS", "SIZE"}}
	if files {
		rows[0] = append(rows[0], "PATH")
	}
	for _, l := range lines {
		row := []string{l.Topic, l.Partition, count(l.Files), count(l.Records), size(l.Bytes)}
		if files {
			row = append(row, l.Path)
		}
		rows = append(rows, row)
	}
	p.table(rows)
	return p.flush()
}

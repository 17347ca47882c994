package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) lakeCommand() *cobra.Command {
	return group("lake", "Look into the raw lake: ls, cat, verify", a.lakeListCommand(), a.lakeCatCommand(), a.lakeVerifyCommand())
}

// pipelineTopics are the topics that a pipeline lands: its sources, its results, its journal.
func pipelineTopics(plan *pipeline.Plan) []string {
	var topics []string
	for i := range plan.Sources {
		topics = append(topics, plan.Sources[i].Topic)
	}
	for _, o := range plan.Outputs {
		topics = append(topics, o.Name)
	}
	return append(topics, plan.Pipeline.JournalTopic())
}

// chooseTopics are the topics that a lake command looks at: the one that was named, or all of the pipeline's.
func chooseTopics(plan *pipeline.Plan, named string) ([]string, error) {
	all := pipelineTopics(plan)
	if named == "" {
		return all, nil
	}
	if !slices.Contains(all, named) {
		return nil, usagef("--topic %s: pipeline %s lands %v", named, plan.Pipeline.Name, all)
	}
	return []string{named}, nil
}

// lookTopic opens a topic of the lake for reading; nil when nothing of it was ever landed.
func lookTopic(ctx context.Context, b blob.Bucket, topic string) (*lake.Topic, error) {
	t, err := lake.LookTopic(ctx, b, topic)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lake of topic %s: %w", topic, err)
	}
	return t, nil
}

// eachFile calls fn for every file that the topic's log names, by partition and offset.
func eachFile(ctx context.Context, t *lake.Topic, fn func(lake.File) error) error {
	partitions, err := t.Partitions(ctx)
	if err != nil {
		return fmt.Errorf("partitions of the lake log: %w", err)
	}
	for _, p := range partitions {
		log := t.Log(p)
		if err := log.Refresh(ctx); err != nil {
			return fmt.Errorf("read the lake log of partition %d: %w", p, err)
		}
		for _, entry := range log.Entries() {
			for _, f := range entry.Files {
				if err := fn(f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

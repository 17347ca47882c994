package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// storedEvent is one record of a lake file as JSON.
type storedEvent struct {
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Timestamp string          `json:"timestamp,omitempty"` // when it was sent, not the event time
	Key       string          `json:"key,omitempty"`
	Event     json.RawMessage `json:"event,omitempty"`
	Reason    string          `json:"reason,omitempty"` // quarantined: why
	Value     []byte          `json:"value,omitempty"`  // quarantined: the original bytes, in base64
}

func (a *app) lakeCatCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cat -f FILE PATH",
		Short: "Print the events of one lake file as JSON lines; PATH as lake ls --files prints it",
		Args:  oneArgument("file: a PATH as lake ls --files prints it"),
		RunE: a.command(func(ctx context.Context, args []string) error {
			o, err := a.open(ctx)
			if err != nil {
				return err
			}
			if err := o.close(a.lakeCat(ctx, o, args[0])); err != nil {
				return fmt.Errorf("lake cat %s: %w", args[0], err)
			}
			return nil
		}),
	}
}

func (a *app) lakeCat(ctx context.Context, o *opened, path string) error {
	for _, name := range pipelineTopics(o.plan) {
		if !strings.HasPrefix(path, "raw/"+blob.EncodeName(name)+"/") {
			continue
		}
		t, err := lookTopic(ctx, o.bucket, name)
		if err != nil {
			return err
		}
		if t == nil {
			break
		}
		f, err := fileAt(ctx, t, path)
		if err != nil {
			return err
		}
		return a.printFile(ctx, o, t, f)
	}
	return usagef("no topic of pipeline %s has such a file: tidemark lake ls --files lists them", o.plan.Pipeline.Name)
}

var errFound = errors.New("found")

// fileAt is the file that the log names by this path.
func fileAt(ctx context.Context, t *lake.Topic, path string) (lake.File, error) {
	var found lake.File
	err := eachFile(ctx, t, func(f lake.File) error {
		if f.Path != path {
			return nil
		}
		found = f
		return errFound
	})
	if errors.Is(err, errFound) {
		return found, nil
	}
	if err == nil {
		err = usagef("the lake's log names no such file: tidemark lake ls --files lists them")
	}
	return found, err
}

func (a *app) printFile(ctx context.Context, o *opened, t *lake.Topic, f lake.File) error {
	var text shower
	for _, d := range t.Declaration().Schemas {
		if d.ID != f.SchemaID || f.Quarantine {
			continue
		}
		var err error
		if text, err = showerOf(o.plan, t.Declaration().Topic, d.JSON); err != nil {
			return fmt.Errorf("schema %d: %w", d.ID, err)
		}
	}
	p := a.printer()
	err := lake.ReadFile(ctx, o.bucket, f, func(s *lake.Stored) error {
		e := storedEvent{Partition: s.Partition, Offset: s.Offset, Key: string(s.Key), Reason: s.Reason}
		if s.Timestamp >= 0 {
			e.Timestamp = time.UnixMilli(s.Timestamp).UTC().Format(time.RFC3339Nano)
		}
		switch {
		case f.Quarantine:
			e.Value = s.Payload
		case text == nil:
			return fmt.Errorf("schema %d is not declared in the lake", f.SchemaID)
		default:
			event, err := text.ToJSON(s.Payload)
			if err != nil {
				return fmt.Errorf("decode %d@%d: %w", s.Partition, s.Offset, err)
			}
			e.Event = event
		}
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode %d@%d: %w", s.Partition, s.Offset, err)
		}
		p.line("%s", line)
		return p.err
	})
	if err != nil {
		return err
	}
	return p.flush()
}

// shower makes JSON of what the lake stores.
type shower interface {
	ToJSON(payload []byte) ([]byte, error)
}

// showerOf shows a topic's payloads that were written with a schema: JSON and Protobuf as their source says, the rest by the
// schema itself.
func showerOf(plan *pipeline.Plan, topic, stored string) (shower, error) {
	for i := range plan.Sources {
		if s := &plan.Sources[i]; s.Topic == topic && (s.Source.Format == schema.FormatJSON || s.Source.Format == schema.FormatProtobuf) {
			return s.Source.Edge()
		}
	}
	return schema.Parse([]byte(stored))
}

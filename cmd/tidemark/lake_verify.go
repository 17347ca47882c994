package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake"
)

// lakeVerification is what `lake verify` found in one topic.
type lakeVerification struct {
	Topic       string      `json:"topic"`
	Landed      bool        `json:"landed"` // false: nothing of it was ever landed
	Records     int64       `json:"records"`
	Quarantined int64       `json:"quarantined"`
	Files       int64       `json:"files"`
	Bytes       int64       `json:"bytes"`
	Pending     int64       `json:"pending"`            // files that the log doesn't name yet
	Garbage     int64       `json:"garbage"`            // files that the log will never name
	GivenUp     []lakeHole  `json:"given_up,omitempty"` // ranges that are lost for good: accepted, no faults
	Faults      []lakeFault `json:"faults"`
}

// lakeHole is a range of which the records are lost, which an operator accepted.
type lakeHole struct {
	Partition int32     `json:"partition"`
	First     int64     `json:"first"`
	End       int64     `json:"end"` // exclusive
	Pipeline  string    `json:"pipeline"`
	Order     int64     `json:"order"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
}

type lakeFault struct {
	Kind      string `json:"kind"`
	Partition int32  `json:"partition"`
	Path      string `json:"path,omitempty"`
	Offset    int64  `json:"offset,omitempty"`
	Message   string `json:"message"`
}

// faultsMax bounds what is listed; more are counted.
const faultsMax = 1000

func (a *app) lakeVerifyCommand() *cobra.Command {
	var topic string
	c := &cobra.Command{
		Use:   "verify -f FILE",
		Short: "Re-read everything: checksums, counts, every record exactly once; exit 3 when something is wrong",
		Args:  cobra.NoArgs,
	}
	c.Flags().StringVar(&topic, "topic", "", "only this topic of the pipeline")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		found, err := verifyLake(ctx, o, topic)
		if err := o.close(err); err != nil {
			return fmt.Errorf("lake verify: %w", err)
		}
		body := struct {
			Pipeline string             `json:"pipeline"`
			Topics   []lakeVerification `json:"topics"`
		}{o.plan.Pipeline.Name, found}
		if err := a.result("LakeVerification", body, func(p *printer) { printVerification(p, found) }); err != nil {
			return err
		}
		for _, v := range found {
			if len(v.Faults) > 0 {
				return errDiffers
			}
		}
		return nil
	})
	return c
}

func verifyLake(ctx context.Context, o *opened, topic string) ([]lakeVerification, error) {
	topics, err := chooseTopics(o.plan, topic)
	if err != nil {
		return nil, err
	}
	var found []lakeVerification
	for _, name := range topics {
		v, err := verifyTopic(ctx, o, name)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", name, err)
		}
		found = append(found, v)
	}
	return found, nil
}

func verifyTopic(ctx context.Context, o *opened, name string) (lakeVerification, error) {
	v := lakeVerification{Topic: name, Faults: []lakeFault{}}
	t, err := lookTopic(ctx, o.bucket, name)
	if err != nil || t == nil {
		return v, err
	}
	sum, err := lake.Check(ctx, o.bucket, name, func(f lake.Fault) {
		if f.Kind.Harmless() || len(v.Faults) == faultsMax {
			return
		}
		v.Faults = append(v.Faults, lakeFault{string(f.Kind), f.Partition, f.Path, f.Offset, f.Msg})
	})
	v.Landed, v.Records, v.Quarantined, v.Files, v.Bytes = true, sum.Records, sum.Quarantined, sum.Files, sum.Bytes
	v.Pending, v.Garbage = sum.Pending, sum.Garbage
	for _, h := range sum.GivenUp {
		g := h.GivenUp
		v.GivenUp = append(v.GivenUp, lakeHole{h.Partition, h.First, h.End, g.Pipeline, g.Order, time.UnixMilli(g.At).UTC(), g.Reason})
	}
	return v, err
}

// givenUpText says that a range of a topic is lost, and who accepted it.
func givenUpText(topic string, partition int32, first, end int64, pipeline string, order int64, at time.Time, reason string) string {
	return fmt.Sprintf("given up: %s/%d offsets %d to %d are lost for good, by order %d of pipeline %s, carried out %s: %s",
		topic, partition, first, end-1, order, pipeline, at.Format(time.RFC3339), reason)
}

func printVerification(p *printer, found []lakeVerification) {
	for _, v := range found {
		switch {
		case !v.Landed:
			p.line("%s: nothing landed yet", v.Topic)
			continue
		case len(v.Faults) > 0:
			p.line("%s: %s", v.Topic, plural(len(v.Faults), "fault", "faults"))
		default:
			p.line("%s: %s, every record exactly once, in %s of %s", v.Topic,
				plural(v.Records, "record", "records"), plural(v.Files, "file", "files"), size(v.Bytes))
		}
		if v.Quarantined > 0 {
			p.line("  %s in quarantine", plural(v.Quarantined, "record is", "records are"))
		}
		if v.Pending+v.Garbage > 0 {
			p.line("  %s not named by the log: %s still to be named, %s left by a crash", plural(v.Pending+v.Garbage, "file", "files"), count(v.Pending), count(v.Garbage))
		}
		for _, h := range v.GivenUp {
			p.line("  %s", givenUpText(v.Topic, h.Partition, h.First, h.End, h.Pipeline, h.Order, h.At, h.Reason))
		}
		for _, f := range v.Faults {
			p.line("  %s: %s %s", f.Kind, f.Path, f.Message)
		}
	}
}

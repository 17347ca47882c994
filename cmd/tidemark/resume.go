package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/stream"
)

type resumeFlags struct {
	task   int32
	accept bool
	reason string
}

func (a *app) resumeCommand() *cobra.Command {
	var f resumeFlags
	c := &cobra.Command{
		Use:   "resume -f FILE --task N --accept-loss --reason TEXT",
		Short: "Let a task go on that stopped because its topic no longer has what it must read",
		Long: "Orders the process that owns the task to begin it anew at the first record that its topic still has. What retention has\n" +
			"taken is lost: it is in no window, and where it was not landed it is not in the lake. What retention takes until the\n" +
			"order is carried out is lost, too. The journal keeps the reason, and the lake where it has a hole: lake verify, reconcile,\n" +
			"audit and the certificates of windows that may lack records say so.\n" +
			"The task begins with empty state, beyond every window that it had; those are the reconciler's, which computes them\n" +
			"from the lake.\n\n" +
			"Where the topic has grown, too, `tidemark change` carries the order out, for all tasks at once.\n\n" +
			"The order holds for the stop that `tidemark status` shows, and for no other. A running process carries it out within\n" +
			"seconds, one that has ended at its next start. Given twice it is carried out once.",
		Args: cobra.NoArgs,
	}
	c.Flags().Int32Var(&f.task, "task", -1, "the stopped task, as tidemark status numbers it")
	c.Flags().BoolVar(&f.accept, "accept-loss", false, "say that what is gone may be lost")
	c.Flags().StringVar(&f.reason, "reason", "", "why; the journal keeps it")
	c.RunE = a.command(func(ctx context.Context, _ []string) error { return a.resume(ctx, f) })
	return c
}

func (a *app) resume(ctx context.Context, f resumeFlags) error {
	switch {
	case f.task < 0:
		return usagef("resume: --task N: say which task; tidemark status shows them")
	case !f.accept:
		return usagef("resume: --accept-loss: what the topic no longer has will be lost for good; say that this is accepted")
	case strings.TrimSpace(f.reason) == "":
		return usagef("resume: --reason TEXT: the journal keeps why it was decided")
	}
	o, err := a.open(ctx)
	if err != nil {
		return err
	}
	order, given, err := stream.Resume(ctx, stream.ResumeOptions{
		Plan: o.plan, Kafka: o.kafka, Bucket: o.bucket, Now: a.now, Task: f.task, Reason: f.reason,
	})
	if err := o.close(err); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	body := struct {
		Given bool          `json:"given"`
		Order *stream.Order `json:"order"`
	}{given, order}
	return a.result("Resume", body, func(p *printer) {
		for _, in := range order.Inputs {
			if in.Committed < in.First {
				p.line("%s/%d: records from offset %d up to %d are given up", in.Topic, order.Task, in.Committed, in.First-1)
			} else {
				p.line("%s/%d: what was not landed below offset %d is given up", in.Topic, order.Task, in.First)
			}
		}
		if !given {
			p.line("the same order was given before: nothing was added")
			return
		}
		p.line("task %d begins anew within seconds, or when its process starts: see tidemark status -f %s", order.Task, a.file)
	})
}

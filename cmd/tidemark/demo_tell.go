package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tidemark-io/tidemark/cmd/internal/feed"
	"github.com/tidemark-io/tidemark/cmd/internal/flights"
	"github.com/tidemark-io/tidemark/cmd/internal/progress"
	"github.com/tidemark-io/tidemark/cmd/internal/telemetry"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// demo is one telling of the story. Each step does its part, notes the facts and, in text, says them.
type demo struct {
	a     *app
	o     *opened
	f     demoFlags
	p     *printer
	facts *demoFacts
	chaos *chaos
}

// say prints a line at once, so that the story keeps pace with the work. With -o json only the facts are printed.
func (d *demo) say(format string, args ...any) error {
	if d.a.output == "json" {
		return nil
	}
	d.p.line(format, args...)
	return d.p.flush()
}

func (d *demo) tell(ctx context.Context) error {
	if d.f.kills > 0 {
		d.chaos = newChaos(d.a, d.f)
	}
	for _, step := range []func(context.Context) error{d.produce, d.run, d.lake, d.compare, d.reconcile, d.audit, d.end} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

const demoPartitions = 4

// produce sends what the topic doesn't hold yet, by the same path as `tidemark produce`.
func (d *demo) produce(ctx context.Context) error {
	departures, cancelled, err := flights.January()
	if err != nil {
		return err
	}
	f := d.facts
	f.Departures, f.Cancelled, f.Copies = len(departures), cancelled, flights.Copies
	f.Records = f.Departures + f.Copies
	topic := d.o.plan.Pipeline.Source.Topic
	err = d.say("producing flights-2013-01 to topic %s: %s departures in the order they happened, %s sent twice (1 %% retries); %s cancelled, left out",
		topic, count(f.Departures), count(f.Copies), count(cancelled))
	if err != nil {
		return err
	}
	if _, err := ensureTopic(ctx, d.o.kafka, topic, demoPartitions); err != nil {
		return err
	}
	have, err := held(ctx, d.o.kafka, topic)
	if err != nil {
		return err
	}
	input, err := os.Open(filepath.Join(d.f.out, "flights.jsonl"))
	if err != nil {
		return fmt.Errorf("open the events: %w", err)
	}
	missing := int64(f.Records)
	for _, n := range have {
		missing -= n
	}
	bar := progress.Start(progress.Options{
		W: d.a.err, Terminal: isTerminal(d.a.err), Quiet: d.a.quiet || missing <= 0, Label: "producing", Total: missing, Now: d.a.now,
	})
	read := missing - int64(f.Records) // what is there already is read first
	report, err := send(ctx, d.o.kafka, input, feed.Options{
		Source: d.o.plan.Sources[0].Source, Topic: topic, Partitions: demoPartitions, Key: d.o.plan.Pipeline.Source.Key,
		Name: input.Name(), Skip: have, Progress: func(int64) { read++; bar.Set(read) },
	})
	bar.End()
	if err := errors.Join(err, input.Close()); err != nil {
		return err
	}
	f.Produced = report.Sent
	if report.Sent < int64(f.Records) {
		return d.say("  produced %s now: %s were in the topic already; what follows counts both", count(report.Sent), count(int64(f.Records)-report.Sent))
	}
	return nil
}

// held is how many records each partition of a topic without transactions holds.
func held(ctx context.Context, options kafka.Options, topic string) (map[int32]int64, error) {
	admin, err := kafka.NewAdmin(options)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	ends, err := admin.Offsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	have := make(map[int32]int64, len(ends))
	for p, e := range ends {
		have[p] = e.High
	}
	return have, nil
}

// run runs the pipeline to the end of the topic: in this process, or in others that are killed.
func (d *demo) run(ctx context.Context) error {
	lines, err := lineCount(filepath.Join(d.f.out, "flights.yaml"))
	if err != nil {
		return err
	}
	err = d.say("running pipeline %s (%s, %d lines, worth reading) until the end",
		d.o.plan.Pipeline.Name, d.f.path("flights.yaml"), lines)
	if err != nil {
		return err
	}
	var sum runSummary
	if d.chaos != nil {
		if sum, err = d.chaos.run(ctx); err == nil {
			d.facts.Kills = len(d.chaos.killed)
			err = d.say("  kill -9 and started again: %s", plural(d.facts.Kills, "time", "times"))
		}
	} else {
		sum, err = d.runHere(ctx)
	}
	if err != nil {
		return err
	}
	d.facts.Accounting, d.facts.WindowsClosed = sum.Accounting, sum.Outputs[0].Closed
	return d.say("\n  %s", accountingText(d.p, sum.Accounting))
}

func (d *demo) runHere(ctx context.Context) (runSummary, error) {
	board := &telemetry.Board{}
	ended := make(chan struct{})
	told := make(chan error, 1)
	go func() { told <- d.a.follow(board, ended, nil, true) }()
	sum, err := d.a.stream(ctx, d.o, demoID, true, board)
	close(ended)
	if err := errors.Join(err, <-told); err != nil {
		return runSummary{}, err
	}
	return newRunSummary(sum), nil
}

// demoID names the demo's process; `tidemark run` without --id goes on with the same state.
const demoID = "main"

// lake verifies that the raw lake holds every record exactly once.
func (d *demo) lake(ctx context.Context) error {
	v, err := verifyTopic(ctx, d.o, d.o.plan.Pipeline.Source.Topic)
	if err != nil {
		return err
	}
	d.facts.LakeRecords = v.Records + v.Quarantined
	d.facts.ExactlyOnce = len(v.Faults) == 0 && d.facts.LakeRecords == d.facts.Accounting.Consumed
	verdict := "every record exactly once"
	if !d.facts.ExactlyOnce {
		verdict = "NOT every record exactly once: tidemark lake verify names the faults"
	}
	return d.say("  windows closed %s    lake: %s records, %s", count(d.facts.WindowsClosed), count(d.facts.LakeRecords), verdict)
}

// reconcile plans, explains, approves and applies.
func (d *demo) reconcile(ctx context.Context) error {
	bars := &bars{a: d.a}
	defer bars.end()
	r, err := d.a.newReconciler(d.o, bars)
	if err != nil {
		return err
	}
	plan, err := r.Plan(ctx, reconcile.PlanOptions{})
	bars.end()
	if err != nil {
		return reconciled(err)
	}
	if err := d.planned(plan); err != nil {
		return err
	}
	if err := d.explain(ctx, r); err != nil {
		return err
	}
	if err := d.count(ctx, r); err != nil {
		return err
	}
	published, certified := d.facts.Corrections, d.facts.Units
	if plan.Due == 0 {
		return d.say("reconcile apply: published 0 corrections now, certified 0 units: nothing was due; before: %s and %s",
			plural(published, "correction", "corrections"), plural(certified, "unit", "units"))
	}
	if err := d.apply(ctx, r, plan.ID); err != nil {
		return reconciled(err)
	}
	bars.end()
	if err := d.count(ctx, r); err != nil {
		return err
	}
	d.facts.Published, d.facts.Certified = d.facts.Corrections-published, d.facts.Units-certified
	spent := ""
	if d.chaos != nil {
		spent = fmt.Sprintf(", killed %s on the way", plural(len(d.chaos.killed)-d.facts.Kills, "time", "times"))
	} else {
		spent = fmt.Sprintf(", %.1f CPU-s", d.facts.CPUSeconds)
	}
	return d.say("reconcile apply: published %s, certified %s%s",
		plural(d.facts.Published, "correction", "corrections"), plural(d.facts.Certified, "unit", "units"), spent)
}

const demoReason = "the demo approves its own plan"

func (d *demo) apply(ctx context.Context, r *reconcile.Reconciler, plan string) error {
	if d.chaos != nil {
		return d.chaos.apply(ctx, plan)
	}
	o := reconcile.ApplyOptions{Approve: plan}
	if plan != "" {
		o.Reason, o.By = demoReason, "tidemark demo"
	}
	report, err := r.Apply(ctx, o)
	if report != nil {
		d.facts.CPUSeconds = report.Cost.CPUSeconds
	}
	return err
}

// count counts what is durable now, whichever process did it: corrections in the topic, units with a certificate.
func (d *demo) count(ctx context.Context, r *reconcile.Reconciler) error {
	d.facts.Corrections = 0
	codec, row := d.o.plan.Codecs[0], curated.Row{}
	err := readTopic(ctx, d.o.kafka, d.o.plan.Pipeline.Outputs[0].Name, func(record *kafka.Record) error {
		if err := codec.Decode(record.Key, record.Value, &row); err != nil {
			return err
		}
		if row.Run != "" {
			d.facts.Corrections++
		}
		return nil
	})
	if err != nil {
		return err
	}
	o, err := r.Overview(ctx)
	if err != nil {
		return err
	}
	d.facts.Units = o.Clean
	return nil
}

func (d *demo) audit(ctx context.Context) error {
	bars := &bars{a: d.a}
	r, err := d.a.newReconciler(d.o, bars)
	if err != nil {
		return err
	}
	report, err := r.Audit(ctx)
	bars.end()
	if err != nil {
		return reconciled(err)
	}
	d.facts.Audit.Windows, d.facts.Audit.Equal, d.facts.Audit.Root = report.Windows, report.Equal, report.Root
	if err := d.say("%s", auditLine(d.p, report)); err != nil {
		return err
	}
	if !report.OK() {
		return errors.Join(d.say("first difference: %s", differenceText(report.Difference)), errDiffers)
	}
	return nil
}

// factsFile keeps what a demo found, in its folder.
const factsFile = "demo.json"

func (d *demo) end(context.Context) error {
	if !d.facts.ExactlyOnce || !d.facts.Accounting.Balanced {
		return errDiffers
	}
	if d.chaos != nil {
		return d.endChaos()
	}
	text, err := document("DemoReport", d.facts)
	if err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(d.f.out, factsFile), append(text, '\n')); err != nil {
		return err
	}
	where := ""
	if d.f.out != defaultOut {
		where = " --out " + d.f.out
	}
	return d.say("\nlook around:  tidemark dev --data %s        then: tidemark status | explain | consume | lake ls ... -f %s\n"+
		"prove it:     tidemark demo flights --chaos kill=5%s        the same root after five kill -9", d.f.out, d.f.path("flights.yaml"), where)
}

// endChaos compares the root with that of the demo that nobody killed.
func (d *demo) endChaos() error {
	d.facts.Kills, d.facts.Killed = len(d.chaos.killed), d.chaos.killed
	text, err := os.ReadFile(filepath.Join(d.f.beside, factsFile))
	if errors.Is(err, os.ErrNotExist) {
		return d.say("killed %s; run the demo without --chaos to compare the roots", plural(d.facts.Kills, "time", "times"))
	}
	if err != nil {
		return err
	}
	var undisturbed demoFacts
	if err := unmarshal(text, &undisturbed); err != nil {
		return err
	}
	if undisturbed.Audit.Root != d.facts.Audit.Root {
		return errors.Join(d.say("DIFFERENT: the root of the demo in %s is %s", d.f.beside, undisturbed.Audit.Root), errDiffers)
	}
	return d.say("killed %s: the same root as the demo in %s, which nobody killed", plural(d.facts.Kills, "time", "times"), d.f.beside)
}

func lineCount(name string) (int, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range text {
		if c == '\n' {
			n++
		}
	}
	return n, nil
}

package reconcile

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Options is what a Reconciler works on and with.
type Options struct {
	// Plan is the compiled pipeline whose results are reconciled.
	Plan *pipeline.Plan
	// Kafka says how to reach the cluster that holds the pipeline's topics.
	Kafka kafka.Options
	// Bucket is the lake's bucket; checkpoints and certificates live in it too.
	Bucket blob.Bucket
	// Now is the wall clock. It decides when to look (settle) and stamps what is written; no result depends on it.
	Now func() time.Time
	// Log receives what an operator may want to know later. Default: nothing is logged.
	Log *slog.Logger
	// Run names this run; it becomes _run of the corrections. Default: the time of New.
	Run string
	// Binary is the program's version, for certificates. Default "unknown".
	Binary string
	// CPU is the process's CPU time so far. Default nil: costs are reported without CPU.
	CPU func() time.Duration
	// Progress, when not nil, is called from the goroutine that called Plan, Apply or Audit.
	Progress func(Progress)
	// Hooks are for tests and crash loops.
	Hooks Hooks
	// Limits bound memory and waiting. Each zero field has a default.
	Limits Limits
}

// Limits bound what one run may hold and how long it waits. Exceeding one is an error, never a silent cut.
type Limits struct {
	// UnitRecords is how many raw records a unit's inputs may hold. Default 20 million.
	UnitRecords int64
	// TailRecords is how many records of the curated topics and of the journal that the lake has not landed
	// yet are held. Default 1 million.
	TailRecords int
	// TxnRecords is how many corrections one transaction holds. Default 2,000.
	TxnRecords int
	// RowsHeld is how many recomputed rows are kept from planning to the comparison behind the fence. Units beyond it are
	// recomputed again: it costs time, never results. Default 100,000.
	RowsHeld int
	// ChunkUnits is how many units are held between one comparison and its certificates. Default 64.
	ChunkUnits int
	// StableWait bounds the wait for open transactions of others. Default 30 s, above the transaction
	// timeout of 10 s after which the broker aborts a dead process's transaction.
	StableWait time.Duration
	// Passes is how often Apply starts over for units that moved while it worked. Default 3.
	Passes int
}

// Hooks are called between the steps of Apply. An error from Step ends the run as a crash there would: nothing is
// cleaned up, aborted or certified.
type Hooks struct {
	// Step is told each step's name (see the Step constants) when it is done.
	Step func(step string) error
}

// The steps of Apply, in their order within a slot.
const (
	StepFenced    = "fenced"    // the transactional id is ours
	StepSampled   = "sampled"   // the high watermark is known, the last stable offset may be behind it
	StepLanded    = "landed"    // the curated log reaches the high watermark
	StepCompared  = "compared"  // recomputed and compared
	StepProduced  = "produced"  // corrections are in an open transaction
	StepPublished = "published" // the broker has confirmed
	StepRelanded  = "relanded"  // the corrections are in the lake
	StepCertified = "certified" // one certificate is put
)

// Progress tells how far a run is.
type Progress struct {
	// Phase is "plan", "apply" or "audit".
	Phase string
	// Done of Total units are dealt with.
	Done, Total int
	// Output and Partition name the unit that was dealt with last.
	Output, Partition string
}

// ensureDefaults fills what has a default.
func (o *Options) ensureDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Binary == "" {
		o.Binary = "unknown"
	}
	if o.CPU == nil {
		o.CPU = func() time.Duration { return 0 }
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Hooks.Step == nil {
		o.Hooks.Step = func(string) error { return nil }
	}
	o.Limits.ensureDefaults()
}

func (l *Limits) ensureDefaults() {
	if l.UnitRecords == 0 {
		l.UnitRecords = 20_000_000
	}
	if l.TailRecords == 0 {
		l.TailRecords = 1_000_000
	}
	if l.TxnRecords == 0 {
		l.TxnRecords = 2_000
	}
	if l.RowsHeld == 0 {
		l.RowsHeld = 100_000
	}
	if l.ChunkUnits == 0 {
		l.ChunkUnits = 64
	}
	if l.StableWait == 0 {
		l.StableWait = 30 * time.Second
	}
	if l.Passes == 0 {
		l.Passes = 3
	}
}

// validate reports all that is missing or senseless at once.
func (o *Options) validate() error {
	var errs []error
	if o.Plan == nil {
		errs = append(errs, errors.New("the plan is missing"))
	}
	if o.Bucket == nil {
		errs = append(errs, errors.New("the bucket is missing"))
	}
	if o.Now == nil {
		errs = append(errs, errors.New("the clock is missing"))
	}
	l := o.Limits
	if l.UnitRecords < 0 || l.TailRecords < 0 || l.TxnRecords < 0 || l.ChunkUnits < 0 || l.RowsHeld < 0 || l.StableWait < 0 || l.Passes < 0 {
		errs = append(errs, fmt.Errorf("Limits %+v: negative", l))
	}
	if len(errs) > 0 {
		return fmt.Errorf("reconcile options: %w", errors.Join(errs...))
	}
	return nil
}

// PlanOptions choose what a plan looks at.
type PlanOptions struct {
	// All takes every dirty and closed unit, whatever `settle` and `lookback` say.
	All bool
	// Since and Until, when not zero, keep to units whose hour begins in [Since, Until).
	Since, Until time.Time
	// Top is how many of the largest changes the plan shows. Default 20, 0 means the default.
	Top int
}

// ApplyOptions choose what Apply does.
type ApplyOptions struct {
	// Approve is a plan id: its units are applied whatever the guard says, and no others. Units that have moved since are
	// left alone and reported (*StaleError).
	Approve string
	// Reason and By are written into the certificates of an approved plan.
	Reason, By string
	// All, Since, Until and Top are as in PlanOptions. With Approve, they are ignored.
	All          bool
	Since, Until time.Time
	Top          int
}

// ExplainOptions name one window.
type ExplainOptions struct {
	// Output is the output's name. Default: the pipeline's only output.
	Output string
	// Key is the group as text: its fields joined by commas, as FormatKey prints them.
	Key string
	// Window is any time within the window.
	Window time.Time
	// Events asks for every contributing event, not only ranges of offsets.
	Events bool
}

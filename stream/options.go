package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Options are what Run needs. Plan, Bucket, ID and Now are required.
type Options struct {
	// Plan is the compiled pipeline.
	Plan *pipeline.Plan
	// Kafka is how to reach the brokers.
	Kafka kafka.Options
	// Bucket holds the lake and the checkpoints.
	Bucket blob.Bucket
	// ID names this process among those that share the pipeline. It must be the same after a restart, and no
	// two processes may run with the same one: it is the static group member id and part of the
	// transactional id.
	ID string
	// StateFS is the file system that state lives on. Default: the operating system's.
	StateFS state.FS
	// UntilEnd ends the run at the offsets that are the end now: what is open is closed by a
	// decision, everything is landed and checkpointed. Default false: run for ever.
	UntilEnd bool
	// Now is the clock. Nothing but decisions, schedules and reports reads it (law L5).
	Now func() time.Time
	// Log receives what an operator should see. Default: nothing is logged.
	Log *slog.Logger
	// PollRecordsMax bounds the records of one poll. Default: what the budget allows, at most 10,000.
	PollRecordsMax int
	// PortionRecordsMax bounds what one transaction publishes where a commit has more, so that it ends well within its
	// timeout. Default 50,000.
	PortionRecordsMax int
	// LandingBytesMax bounds what waits in memory to be landed, over all partitions. Default: its share of the pipeline's
	// memory_max.
	LandingBytesMax int64
	// RetryFor bounds how long broken sessions are rebuilt before Run gives up with the error: without a confirmed commit or
	// an idle turn in between, or because of one step of the session, such as a task's checkpoint, that never succeeds. An outage of
	// the bucket is waited for however long it takes. Default 5 minutes.
	RetryFor time.Duration
	// CommitTimeout bounds one commit; beyond it the outcome counts as unknown. Default: the session's, 30 seconds.
	CommitTimeout time.Duration
	// Observe, if set, is called with a fresh snapshot after each commit and at least once a second.
	// It must not block and must not keep what the snapshot points to.
	Observe func(Status)
}

// EnsureDefaults fills what was left out.
func (o *Options) EnsureDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PollRecordsMax == 0 {
		o.PollRecordsMax = o.memory().pollRecords(o.windowsPerEvent())
	}
	if o.RetryFor == 0 {
		o.RetryFor = 5 * time.Minute
	}
	if o.PortionRecordsMax == 0 {
		o.PortionRecordsMax = portionRecords
	}
	if o.LandingBytesMax == 0 {
		o.LandingBytesMax = o.memory().Landing
	}
	if o.Kafka.Log == nil {
		o.Kafka.Log = o.Log
	}
}

// Validate reports everything that is missing, at once.
func (o *Options) Validate() error {
	var faults []error
	if o.Plan == nil {
		faults = append(faults, errors.New("no plan"))
	}
	if o.Bucket == nil {
		faults = append(faults, errors.New("no bucket"))
	}
	if o.ID == "" {
		faults = append(faults, errors.New("no id: each process of a pipeline needs one of its own"))
	}
	if o.Now == nil {
		faults = append(faults, errors.New("no clock"))
	}
	if len(faults) > 0 {
		return fmt.Errorf("stream options: %w", errors.Join(faults...))
	}
	return nil
}

// memory is the division of the pipeline's budget.
func (o *Options) memory() *Memory {
	m := Memory{}
	if o.Plan != nil {
		m = DivideMemory(o.Plan.Pipeline.State.MemoryMax)
	}
	return &m
}

// windowsPerEvent is how many windows one event may be in, over all outputs.
func (o *Options) windowsPerEvent() (n int64) {
	if o.Plan == nil {
		return 1
	}
	for i := range o.Plan.Outputs {
		n += o.Plan.Outputs[i].WindowsPerEvent()
	}
	return n
}

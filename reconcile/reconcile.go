package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Reconciler plans, applies, audits and explains one pipeline's results. It holds neither state nor connections between
// calls; one call at a time.
type Reconciler struct {
	opt    Options
	plan   *pipeline.Plan
	bucket *meter
	certs  certificates
	admin  *kafka.Admin // while a call runs

	records int64 // raw records recomputed so far
}

// New makes a Reconciler. It touches nothing yet.
func New(o Options) (*Reconciler, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.ensureDefaults()
	if o.Run == "" {
		o.Run = "reconcile-" + o.Now().UTC().Format(time.RFC3339Nano)
	}
	m := &meter{Bucket: o.Bucket}
	r := &Reconciler{opt: o, plan: o.Plan, bucket: m}
	r.certs = certificates{bucket: m, pipeline: o.Plan.Pipeline.Name}
	for i := range o.Plan.Outputs {
		r.certs.outputs = append(r.certs.outputs, o.Plan.Outputs[i].Name)
	}
	return r, nil
}

// connected runs one call with a client for questions to the brokers.
func (r *Reconciler) connected(what string, fn func() error) error {
	admin, err := kafka.NewAdmin(r.opt.Kafka)
	if err == nil {
		r.admin = admin
		defer admin.Close()
		err = fn()
	}
	if err != nil {
		return fmt.Errorf("%s of %s: %w", what, r.plan.Pipeline.Name, err)
	}
	return nil
}

// Overview lists all units with their states, recomputing nothing.
func (r *Reconciler) Overview(ctx context.Context) (o *Overview, err error) {
	err = r.connected("reconcile overview", func() error {
		o, err = r.overview(ctx)
		return err
	})
	return o, err
}

func (r *Reconciler) overview(ctx context.Context) (*Overview, error) {
	v, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	o := &Overview{
		APIVersion: APIVersion, Kind: "ReconcileOverview", Pipeline: r.plan.Pipeline.Name, Fingerprint: r.plan.Fingerprint,
	}
	for _, k := range r.units(v) {
		u, err := r.unit(ctx, v, k, false)
		if err != nil {
			return nil, err
		}
		s := r.describe(u)
		switch s.State {
		case UnitDue:
			o.Due++
		case UnitWaiting:
			o.Waiting++
		default:
			o.Clean++
		}
		o.Units = append(o.Units, s)
	}
	return o, nil
}

// describe is a unit's state for people.
func (r *Reconciler) describe(u *unitState) Unit {
	s := Unit{
		Output: r.plan.Outputs[u.key.output].Name, Partition: u.key.partition(), State: UnitDue, Waits: u.waits, Files: len(u.files) + u.past.files, Bytes: u.past.bytes,
	}
	for i := range u.files {
		s.Bytes += u.files[i].Bytes
	}
	if u.last != nil {
		s.Certificate = u.last.number
	}
	switch {
	case r.clean(u):
		s.State = UnitClean
	case len(u.waits) > 0:
		s.State = UnitWaiting
	}
	return s
}

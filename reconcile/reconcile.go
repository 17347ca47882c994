package reconcile

import "context"

// Reconciler plans, applies, audits and explains one pipeline's results. It holds no state between calls; one call at a time.
type Reconciler struct {
	opt Options
}

// New makes a Reconciler. It touches nothing yet.
func New(o Options) (*Reconciler, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.ensureDefaults()
	return &Reconciler{opt: o}, nil
}

// Plan computes what applying would change. It publishes and certifies nothing and fences nobody; the plan itself is
// kept in the bucket, so that it can be approved.
func (r *Reconciler) Plan(ctx context.Context, o PlanOptions) (*Plan, error) { panic("not yet") }

// Apply plans and, unless the guard holds, publishes the corrections and certifies the units. Errors, besides failures:
// *HeldError, *GuardError, *StaleError (with what matched applied), ErrTryAgain. The report is not nil whenever something was planned.
func (r *Reconciler) Apply(ctx context.Context, o ApplyOptions) (*Report, error) { panic("not yet") }

// Audit recomputes every certified unit from raw and compares it with what is published and with its certificate. A difference is
// in the report and is no error.
func (r *Reconciler) Audit(ctx context.Context) (*AuditReport, error) { panic("not yet") }

// Explain says where one window's value comes from.
func (r *Reconciler) Explain(ctx context.Context, o ExplainOptions) (*Explanation, error) {
	panic("not yet")
}

// Overview lists all units with their states, recomputing nothing.
func (r *Reconciler) Overview(ctx context.Context) (*Overview, error) { panic("not yet") }

package reconcile

import "time"

// APIVersion stands in every document that this package writes or returns.
const APIVersion = "tidemark/v1"

// Plan is what applying would change. It is made by reading only.
type Plan struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"` // "ReconcilePlan"
	// ID is a short hash of the ids of the due units. Empty if none is due.
	ID          string    `json:"id"`
	Pipeline    string    `json:"pipeline"`
	Fingerprint string    `json:"fingerprint"`
	CreatedAt   time.Time `json:"created_at"`
	// Cut is, per source topic, the end of the lake log of each partition at which the plan was made.
	Cut map[string][]int64 `json:"cut"`
	// Due is the number of units that the plan covers, Partitions how many of them would change. Waiting are
	// dirty but not due; Clean have a certificate over the very same input. Older are beyond `lookback` and were not looked at.
	Due        int `json:"due"`
	Partitions int `json:"partitions"`
	Waiting    int `json:"waiting"`
	Clean      int `json:"clean"`
	Older      int `json:"older"`
	// Damaged are due and set aside: a lake file that they need is damaged.
	Damaged int `json:"damaged,omitempty"`

	Windows Windows `json:"windows"`
	// Causes counts the evidence for the changes: events that were "late", or counted again as a "duplicate"; windows for which only
	// changed "code", or nothing known ("other"), speaks.
	Causes map[string]int64 `json:"causes"`
	// Totals are in the order of outputs and their aggregates.
	Totals []Total  `json:"aggregates"`
	Top    []Change `json:"top"`
	Guard  Guard    `json:"guard"`
	Cost   Cost     `json:"cost"`
	// GivenUp are the ranges of the sources that are lost for good, and may have held records of due units.
	GivenUp []GivenUp `json:"given_up,omitempty"`
	// Units are those that are due, waiting or set aside.
	Units []Unit `json:"units"`
}

// Changed reports whether applying the plan would publish anything.
func (p *Plan) Changed() bool { return p.Windows.differ() > 0 }

// Windows counts the windows of the units looked at.
type Windows struct {
	Checked int64 `json:"checked"`
	Equal   int64 `json:"equal"`
	Changed int64 `json:"changed"`
	Added   int64 `json:"added"`
	Removed int64 `json:"removed"`
}

func (w Windows) differ() int64 { return w.Changed + w.Added + w.Removed }

func (w *Windows) add(o Windows) {
	w.Checked += o.Checked
	w.Equal += o.Equal
	w.Changed += o.Changed
	w.Added += o.Added
	w.Removed += o.Removed
}

// Total is one aggregate over all windows of the plan, as published and as recomputed.
type Total struct {
	Output    string `json:"output"`
	Aggregate string `json:"aggregate"`
	Func      string `json:"func"`
	// Method says how windows are put together: "sum" for counts and sums, and distinct values by window; "mean weighted by
	// events" for means, exact (but for rounding) where the argument is never null, and for other measures, as quantiles, of
	// which it is no more than their mean; "least" and "greatest" for min and max; "windows that are true" for any and all. It
	// is empty, and Before and After null, for what has no total: top_k, histogram, text.
	Method string `json:"method"`
	Before Number `json:"before"`
	After  Number `json:"after"`
	Delta  Number `json:"delta"`
}

// Change is one window that would change.
type Change struct {
	Output      string    `json:"output"`
	Key         string    `json:"key"`
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
	// Kind is "changed", "added" or "removed".
	Kind         string        `json:"kind"`
	Cause        string        `json:"cause"`
	FromRevision int64         `json:"from_revision"`
	ToRevision   int64         `json:"to_revision"`
	Values       []ValueChange `json:"values"`
	// Evidence are places of late, missed or duplicate events, topic/partition@offset, at most ten.
	Evidence []string `json:"evidence,omitempty"`
}

// ValueChange is one aggregate of a changed window. Before is null for an added window, After for a removed one.
type ValueChange struct {
	Aggregate string `json:"aggregate"`
	Before    Number `json:"before"`
	After     Number `json:"after"`
}

// Guard is the verdict on a plan and the rule that decided.
type Guard struct {
	// Verdict is "pass", or when a rule is exceeded what `guard.else` says: "hold", "publish" or "fail".
	Verdict string `json:"verdict"`
	// Rule is "max_changed_windows" or "max_change.<output>.<aggregate>". Empty with "pass".
	Rule   string  `json:"rule,omitempty"`
	Limit  float64 `json:"limit"`
	Actual float64 `json:"actual"`
	// Note says what Actual can't: that the total was zero, or no number, before.
	Note string `json:"note,omitempty"`
}

// Cost is what a run spent.
type Cost struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	BytesRead  int64   `json:"bytes_read"`
	Gets       int64   `json:"gets"`
	Puts       int64   `json:"puts"`
	Lists      int64   `json:"lists"`
	Records    int64   `json:"records"` // raw records recomputed
}

// Unit states.
const (
	UnitDue     = "due"
	UnitWaiting = "waiting"
	UnitClean   = "clean"
	UnitDamaged = "damaged"
)

// Unit is one (output, lake hour).
type Unit struct {
	Output    string `json:"output"`
	Partition string `json:"partition"` // "dt=2013-01-09/hr=14"
	State     string `json:"state"`
	// Waits says what a waiting unit waits for, one sentence each.
	Waits []string `json:"waits,omitempty"`
	// Damage says which lake file of a damaged unit is damaged, and how.
	Damage string `json:"damage,omitempty"`
	// Certificate is the number of the last certificate, 0 if there is none.
	Certificate int64 `json:"certificate"`
	// ID hashes fingerprint, input and diff of a due unit: an approval holds while it stays the same.
	ID      string  `json:"id,omitempty"`
	Windows Windows `json:"windows"`
	Files   int     `json:"files"`
	Bytes   int64   `json:"bytes"`
}

// StaleUnit is a unit of an approved plan that has moved since.
type StaleUnit struct {
	Output    string `json:"output"`
	Partition string `json:"partition"`
	Why       string `json:"why"`
	Planned   string `json:"planned"`
	Now       string `json:"now,omitempty"`
}

// Report is what Apply did.
type Report struct {
	APIVersion  string `json:"apiVersion"`
	Kind        string `json:"kind"` // "ReconcileReport"
	Pipeline    string `json:"pipeline"`
	Fingerprint string `json:"fingerprint"`
	Run         string `json:"run"`
	PlanID      string `json:"plan_id"`
	// Published counts corrections (retractions included), Certified the units with a new certificate.
	Published    int64 `json:"published"`
	Retracted    int64 `json:"retracted"`
	Certified    int   `json:"certified"`
	Transactions int   `json:"transactions"`
	// ByOthers counts units that another worker took over or certified meanwhile.
	ByOthers int         `json:"by_others"`
	Waiting  int         `json:"waiting"`
	Clean    int         `json:"clean"`
	Conflict int64       `json:"conflicts"`
	Windows  Windows     `json:"windows"`
	Guard    Guard       `json:"guard"`
	Stale    []StaleUnit `json:"stale,omitempty"`
	// Damaged are the units that were set aside, because a lake file that they need is damaged.
	Damaged []Unit `json:"damaged,omitempty"`
	// GivenUp are the ranges of the sources that are lost for good, and that certificates of this run name.
	GivenUp []GivenUp `json:"given_up,omitempty"`
	Cost    Cost      `json:"cost"`
	// Plan is the plan that was applied (of the first pass).
	Plan *Plan `json:"plan,omitempty"`
}

// Overview is the state of all units, without recomputing any.
type Overview struct {
	APIVersion  string `json:"apiVersion"`
	Kind        string `json:"kind"` // "ReconcileOverview"
	Pipeline    string `json:"pipeline"`
	Fingerprint string `json:"fingerprint"`
	Due         int    `json:"due"`
	Waiting     int    `json:"waiting"`
	Clean       int    `json:"clean"`
	Units       []Unit `json:"units"`
}

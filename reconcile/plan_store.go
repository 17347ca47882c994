package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// PlanFormat is the version of the plan documents that this release writes. It reads no others.
const PlanFormat = 1

// planDocument is what is kept of a plan, so that it can be approved later. FORMAT.md describes it.
type planDocument struct {
	APIVersion  string     `json:"apiVersion"`
	Kind        string     `json:"kind"` // "ReconcilePlanDocument"
	Format      int        `json:"format"`
	ID          string     `json:"id"`
	Hash        string     `json:"hash"` // the id in full
	Pipeline    string     `json:"pipeline"`
	Fingerprint string     `json:"fingerprint"`
	CreatedAt   time.Time  `json:"created_at"`
	Windows     Windows    `json:"windows"`
	Guard       Guard      `json:"guard"`
	Units       []planUnit `json:"units"`
}

// planUnit is one due unit of a plan.
type planUnit struct {
	Output    string `json:"output"`
	Partition string `json:"partition"`
	ID        string `json:"id"`
	Digest    string `json:"digest"` // of its input
	Differ    int64  `json:"differ"` // windows that would change
}

func (r *Reconciler) planKey(id string) string {
	return "reconcile/" + r.plan.Pipeline.Name + "/plans/" + id + ".json"
}

// keepPlan stores a plan that would change something, so that it can be approved, and gives it an id that no other plan has.
func (r *Reconciler) keepPlan(ctx context.Context, s *survey) error {
	if !s.plan.Changed() {
		return nil
	}
	full := s.fullID()
	doc := planDocument{
		APIVersion: APIVersion, Kind: "ReconcilePlanDocument", Format: PlanFormat, Hash: full, Pipeline: s.plan.Pipeline,
		Fingerprint: s.plan.Fingerprint, CreatedAt: s.plan.CreatedAt, Windows: s.plan.Windows, Guard: s.plan.Guard,
	}
	for _, u := range s.due {
		doc.Units = append(doc.Units, planUnit{
			Output: r.plan.Outputs[u.key.output].Name, Partition: u.key.partition(), ID: u.id, Digest: u.digest, Differ: u.windows.differ(),
		})
	}
	for n := planIDDigits; n <= len(full); n++ {
		doc.ID = full[:n]
		data, err := json.MarshalIndent(&doc, "", " ")
		if err != nil {
			return fmt.Errorf("encode plan %s: %w", doc.ID, err)
		}
		err = r.bucket.PutIfAbsent(ctx, r.planKey(doc.ID), append(data, '\n'))
		crashpoint.Hit("plan/put")
		if err != nil && !errors.Is(err, blob.ErrExists) {
			return fmt.Errorf("keep plan %s: %w", doc.ID, err)
		}
		if err == nil {
			s.plan.ID = doc.ID
			return nil
		}
		have, err := r.loadPlan(ctx, doc.ID)
		if err != nil {
			return err
		}
		if have.Hash == full {
			s.plan.ID = doc.ID
			return nil
		}
	}
	return fmt.Errorf("keep plan: every prefix of %s is taken by another plan", full)
}

// isPlanID tells ids from typing errors and from paths.
func isPlanID(id string) bool {
	return len(id) >= planIDDigits && len(id) <= 2*sha256.Size && strings.Trim(id, "0123456789abcdef") == ""
}

// loadPlan reads a stored plan. errors.Is(err, ErrNoPlan) if there is none.
func (r *Reconciler) loadPlan(ctx context.Context, id string) (*planDocument, error) {
	if !isPlanID(id) {
		return nil, fmt.Errorf("plan %q: an id is at least %d hexadecimal digits: %w", id, planIDDigits, ErrNoPlan)
	}
	data, err := r.bucket.Get(ctx, r.planKey(id))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("plan %s of pipeline %s: %w: `reconcile plan` makes one", id, r.plan.Pipeline.Name, ErrNoPlan)
	}
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", id, err)
	}
	return decodePlan(id, data)
}

func decodePlan(id string, data []byte) (*planDocument, error) {
	var doc planDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("plan %s is no JSON: %w", id, err)
	}
	if doc.Kind != "ReconcilePlanDocument" || doc.Format != PlanFormat || doc.ID != id {
		return nil, fmt.Errorf("plan %s: kind %q format %d id %s: this release reads plans of format %d", id, doc.Kind, doc.Format, doc.ID, PlanFormat)
	}
	return &doc, nil
}

// keys finds the units that a plan names. One whose output this pipeline file no longer has is an error.
func (d *planDocument) keys(outputs []string) (map[unitKey]planUnit, error) {
	index := make(map[string]int, len(outputs))
	for i, name := range outputs {
		index[name] = i
	}
	out := make(map[unitKey]planUnit, len(d.Units))
	for _, u := range d.Units {
		i, ok := index[u.Output]
		if !ok {
			return nil, fmt.Errorf("plan %s names output %s, which the pipeline file does not have", d.ID, u.Output)
		}
		hour, err := lake.ParseHour(u.Partition)
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", d.ID, err)
		}
		out[unitKey{i, hour}] = u
	}
	return out, nil
}

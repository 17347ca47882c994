package streamtest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// certified is a small world whose units are all certified.
func certified(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(seed).Log())
	w.Stream()
	if _, err := w.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// Numbers that were written into a certificate by hand are found.
func TestAuditFindsAnEditedCertificate(t *testing.T) {
	for _, member := range []string{"consumed", "aggregated", "windows"} {
		w := certified(t, 71)
		edited := ""
		err := w.Bucket.List(t.Context(), "reconcile/orders/orders-10m/", func(o blob.Object) error {
			text, err := w.Bucket.Get(t.Context(), o.Key)
			number := regexp.MustCompile(`"` + member + `": ?[0-9]+`)
			if err != nil || edited != "" || !number.Match(text) {
				return err
			}
			edited = o.Key
			return w.Bucket.Put(t.Context(), o.Key, number.ReplaceAll(text, []byte(`"`+member+`":91`)))
		})
		if err != nil || edited == "" {
			t.Fatalf("no certificate with %s: %v", member, err)
		}
		if audit, err := w.Reconciler().Audit(t.Context()); err == nil || !strings.Contains(err.Error(), "altered") || !strings.Contains(err.Error(), edited) {
			t.Errorf("%s of %s was edited, and the audit says %+v, %v", member, edited, audit, err)
		}
	}
}

// By a file that defines other results nothing is certified: that is no equality.
func TestAuditRefusesAForeignFile(t *testing.T) {
	w := certified(t, 72)
	w.edit("amount > 100.0", "amount > 50.0")
	if audit, err := w.Reconciler().Audit(t.Context()); err == nil || !strings.Contains(err.Error(), "audit with the file that it runs with") {
		t.Errorf("%+v, %v", audit, err)
	}
}

// What the topic holds beyond the audited cut is named.
func TestAuditNamesWhatIsNotLanded(t *testing.T) {
	w := certified(t, 73)
	w.Produce(small(74).Log()[:1])
	audit, err := w.Reconciler().Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(audit.NotProven, "\n"), "is not landed yet") {
		t.Errorf("not proven: %q", audit.NotProven)
	}
}

package mutants

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// root is the repository's, seen from here.
const root = "../../.."

// least is how many bugs there must be.
const least = 28

// Invariant 1.
func TestMutantsFit(t *testing.T) {
	all := load(t)
	if len(all) < least {
		t.Errorf("%d mutants, want at least %d", len(all), least)
	}
	for i := range all {
		if _, err := plant(&all[i]); err != nil {
			t.Error(err)
		}
	}
}

// cheap are planted in every run of the tests.
const cheap = "^(copies-confirm|identity-leaves-out-a-field)$"

// Invariant 2.
func TestMutantsAreCaught(t *testing.T) {
	which := os.Getenv("TIDEMARK_MUTANTS")
	if which == "" {
		which = cheap
	}
	chosen, err := regexp.Compile(which)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c := &campaign{}
	all := load(t)
	for i := range all {
		if m := &all[i]; chosen.MatchString(m.Name) {
			t.Run(m.Name, func(t *testing.T) { c.try(t, m) })
		}
	}
	t.Logf("%d planted, %d escaped\n%s", len(c.rows), c.escapes, c.table())
	if len(c.rows) == 0 {
		t.Errorf("no mutant is named like %s", which)
	}
	trial.Record(t, trial.Result{Campaign: "mutants", N: len(c.rows), Failures: c.escapes, Seconds: time.Since(began).Seconds()})
}

// campaign is what became of the bugs.
type campaign struct {
	rows    []row
	escapes int
}

type row struct {
	name, by string
	took     time.Duration
}

// try plants a bug and runs its tests until one fails.
func (c *campaign) try(t *testing.T, m *Mutant) {
	r := row{name: m.Name, by: "ESCAPED"}
	began := time.Now()
	overlay := overlayOf(t, m)
	for _, test := range m.Tests {
		v := run(t, m, overlay, test)
		if v.test != "" {
			r.by = test[0] + " " + v.test
			break
		}
		t.Log(v.why)
	}
	r.took = time.Since(began)
	if c.rows = append(c.rows, r); r.by == "ESCAPED" {
		c.escapes++
		t.Errorf("escaped: %s", m.Bug)
		return
	}
	t.Logf("caught by %s in %.0f s: %s", r.by, r.took.Seconds(), m.Bug)
}

// table is the campaign's, for people.
func (c *campaign) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "bug\tcaught by\tseconds")
	for _, r := range c.rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%.0f\n", r.name, r.by, r.took.Seconds())
	}
	_ = w.Flush()
	return b.String()
}

func plant(m *Mutant) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	return m.Plant(source)
}

func load(t *testing.T) []Mutant {
	t.Helper()
	all, err := Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

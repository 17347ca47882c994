package reconcile

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A unit of hopping windows holds those windows that are its own, not all that its events are in: four of the hundreds that a
// day of quarter hours has.
func TestHoppingUnitsHoldTheirOwnWindows(t *testing.T) {
	text, err := os.ReadFile("testdata/stories/hopping")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "pipeline\n")
	yaml, _, _ := strings.Cut(rest, "----\n")
	yaml = strings.Replace(yaml, "{size: 1h, every: 30m}", "{size: 1d, every: 15m}", 1)
	g := newRigOf(t, yaml)
	g.plan.Pipeline.State.MemoryMax = 600 << 10
	var b strings.Builder
	for h := range 24 {
		for user := range 100 {
			fmt.Fprintf(&b, `{"id":"%d-%d","user":"u%d","at":"%02d:05","n":1}`+"\n", h, user, user, h)
		}
	}
	g.records("clicks", "", b.String())
	g.stream()
	g.end()
	p, err := g.reconciler().Plan(g.ctx, PlanOptions{All: true})
	g.must(err)
	if p.Due != 48 || p.Windows.Checked != p.Windows.Equal || p.Windows.Equal != 100*(24+23)*4 {
		t.Fatalf("due %d, %+v", p.Due, p.Windows)
	}
}

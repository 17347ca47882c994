package reconcile

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Many units with a long history of versions read that once, not once each, and say the same as each on its own.
func TestVersionsAreReadOnce(t *testing.T) {
	gets := func(hours int) int64 {
		g := enrichedRig(t, hours)
		p, err := g.reconciler().Plan(g.ctx, PlanOptions{All: true})
		g.must(err)
		if p.Due != hours || p.Windows.differ() != 0 {
			t.Fatalf("%d hours: due %d, %+v", hours, p.Due, p.Windows)
		}
		return p.Cost.Gets
	}
	few, many := gets(10), gets(40)
	if many > 5*few {
		t.Errorf("10 hours take %d gets, 40 hours %d", few, many)
	}
}

// enrichedRig has a version and a bid of one auction in each of so many hours, and a bid before the version, which is that of the hour before.
func enrichedRig(t *testing.T, hours int) *rig {
	t.Helper()
	text, err := os.ReadFile("testdata/stories/enrichment")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "pipeline\n")
	yaml, _, _ := strings.Cut(rest, "----\n")
	g := newRigOf(t, yaml)
	var versions, bids strings.Builder
	for h := range hours {
		at := fmt.Sprintf("%02dT%02d", 9+h/24, h%24)
		fmt.Fprintf(&versions, `{"id":"a","opened":"%s:05","category":"c%d"}`+"\n", at, h)
		fmt.Fprintf(&versions, `{"id":"a","opened":"%s:05","category":"c%d"}`+"\n", at, h) // a copy
		fmt.Fprintf(&bids, `{"id":"early-%d","auction":"a","at":"%s:01","price":%d}`+"\n", h, at, h)
		fmt.Fprintf(&bids, `{"id":"%d","auction":"a","at":"%s:30","price":%d}`+"\n", h, at, h)
	}
	g.records("auctions", "", versions.String())
	g.records("bids", "", bids.String())
	g.stream()
	g.end()
	return g
}

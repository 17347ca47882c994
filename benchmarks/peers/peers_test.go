package peers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the table anew")

// TestPeers runs all cases through Kafka Streams, in one JVM, and through Tidemark.
func TestPeers(t *testing.T) {
	var alike []scenario
	for seed := range uint64(3) {
		for _, c := range scenarios(seed, 1500, []way{suppress, onClose}, "on time") {
			c.trial = fmt.Sprintf("seed %d", seed)
			alike = append(alike, c)
		}
	}
	spoilt := scenarios(7, 1500, []way{suppress}, "late", "duplicates", "idle gap", "far future")
	silent := scenarios(11, 120, silence, "idle gap")
	for i := range silent {
		silent[i].trial = "silence"
	}
	peer := kafkaStreams(t, slices.Concat(alike, spoilt, silent))
	t.Run("equal where nothing is late", func(t *testing.T) { equalOnTime(t, alike, peer) })
	t.Run("where Tidemark differs", func(t *testing.T) { differences(t, spoilt, peer) })
	t.Run("a long silence loses nothing", func(t *testing.T) { longSilence(t, silent, peer) })
}

// equalOnTime wants the same rows, to the row, of Kafka Streams in both ways of emitting, of Tidemark's stream, of its
// batch, and of the truth, as long as no event is later than the grace (law L1).
func equalOnTime(t *testing.T, cases []scenario, peer map[string]peerResult) {
	for _, c := range cases {
		truth, ours := c.truth(), tidemark(t, &c)
		if len(truth) < 100 {
			t.Errorf("%s: %d rows prove little", c.name(), len(truth))
		}
		equal(t, c.name()+": Tidemark's stream", truth, ours.stream)
		equal(t, c.name()+": Tidemark's batch", truth, ours.corrected)
		equal(t, c.name()+": Kafka Streams, suppress", truth, peer[c.name()+"/"+suppress.name].rows)
		if c.query != "session" { // of sessions in memory nothing is ever emitted on close
			equal(t, c.name()+": Kafka Streams, emit on close", truth, peer[c.name()+"/"+onClose.name].rows)
		}
	}
}

func equal(t *testing.T, what string, want, got rows) {
	t.Helper()
	for at, w := range want {
		if got[at] != w {
			t.Errorf("%s: %v is %v, not %v", what, at, got[at], w)
		}
	}
	for at, g := range got {
		if _, ok := want[at]; !ok {
			t.Errorf("%s: %v is %v, and should not be", what, at, g)
		}
	}
}

// differences keeps the table of what each lane makes of logs with something the matter. Whatever it is, Tidemark's
// corrections lead to the truth (L1), and every event is accounted for (L3).
func differences(t *testing.T, cases []scenario, peer map[string]peerResult) {
	var table strings.Builder
	table.WriteString("| query | what is the matter | true rows | Kafka Streams | dropped there | Tidemark's stream | late here | rows only Kafka Streams has | rows only Tidemark's stream has | Tidemark, corrected |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range cases {
		truth, ours, theirs := c.truth(), tidemark(t, &c), peer[c.name()+"/"+suppress.name]
		equal(t, c.name()+": Tidemark, corrected", truth, ours.corrected)
		if c.trial != "late" {
			equal(t, c.name()+": Tidemark's stream", truth, ours.stream)
		}
		if c.trial == "late" && (c.query == "tumbling" || c.query == "hopping") { // both judge alike, to the event
			equal(t, c.name()+": Tidemark's stream, by Kafka Streams", theirs.rows, ours.stream)
		}
		n := ours.counters
		if n.Consumed != n.Aggregated+n.Duplicate+n.Late+n.Filtered+n.Invalid || n.Consumed != int64(len(c.events)) {
			t.Errorf("%s: %+v do not add up to %d events", c.name(), n, len(c.events))
		}
		fmt.Fprintf(&table, "| %s | %s | %d | %s | %d | %s | %d | %d | %d | %s |\n", c.query, c.trial, len(truth), against(truth, theirs.rows),
			theirs.dropped, against(truth, ours.stream), n.Late, only(theirs.rows, ours.stream), only(ours.stream, theirs.rows), against(truth, ours.corrected))
	}
	golden(t, "differences.md", table.String())
}

// silence are the ways in which a long silence is tried.
var silence = []way{suppress, cached, uncached}

// longSilence has windows open when six hours without an event are followed by one record: Tidemark gives out every one
// of them. So does Kafka Streams with suppress; with emission on close the stores have let them expire.
func longSilence(t *testing.T, cases []scenario, peer map[string]peerResult) {
	var table strings.Builder
	table.WriteString("| query | true rows |")
	for _, w := range silence {
		fmt.Fprintf(&table, " Kafka Streams, %s |", w.name)
	}
	table.WriteString(" Tidemark's stream |\n|---|---|---|---|---|---|\n")
	for _, c := range cases {
		truth, ours := c.truth(), tidemark(t, &c)
		equal(t, c.name()+": Tidemark's stream", truth, ours.stream)
		fmt.Fprintf(&table, "| %s | %d |", c.query, len(truth))
		for _, w := range silence {
			fmt.Fprintf(&table, " %s |", against(truth, peer[c.name()+"/"+w.name].rows))
		}
		fmt.Fprintf(&table, " %s |\n", against(truth, ours.stream))
	}
	golden(t, "silence.md", table.String())
}

// against says how rows differ from the truth.
func against(truth, got rows) string {
	var wrong, missing, extra int
	for at, want := range truth {
		if g, ok := got[at]; !ok {
			missing++
		} else if g != want {
			wrong++
		}
	}
	for at := range got {
		if _, ok := truth[at]; !ok {
			extra++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{missing, "missing"}, {wrong, "wrong"}, {extra, "untrue"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if parts == nil {
		return "all true"
	}
	return strings.Join(parts, ", ")
}

// only counts the rows of a that b doesn't have with the same values.
func only(a, b rows) int {
	n := 0
	for at, v := range a {
		if w, ok := b[at]; !ok || w != v {
			n++
		}
	}
	return n
}

// golden holds a table against its file in testdata, and wants it in README.md.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if string(want) != got {
		t.Errorf("%s is no longer so (-rewrite writes it anew):\n%s", path, got)
	}
	readme, err := os.ReadFile("README.md")
	must(t, err)
	if !strings.Contains(string(readme), got) {
		t.Errorf("README.md lacks the table of %s", path)
	}
}

package nexmark

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the table anew")

// queries are the files here, in the order of the benchmark.
var queries = []string{"q0", "q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9", "q11", "q12", "q13", "q14", "q15", "q16", "q17", "q18", "q19", "q20", "q21", "q22"}

// TestQueriesAgreeWithDuckDB runs every query over two logs. Where all events are on time, what the stream publishes is
// what DuckDB computes; where events are late or doubled, what stands after the corrections is (laws L1, L3).
func TestQueriesAgreeWithDuckDB(t *testing.T) {
	events := size(t)
	logs := map[string][]message{
		"clean": profile{seed: 1, events: events}.log(t),
		"dirty": profile{seed: 2, events: events, late: 0.02, duplicates: 0.01}.log(t),
	}
	want := duckDB(t, logs, queries)
	var table strings.Builder
	table.WriteString("| query | operators | checked against | rows, all on time | rows, 2 % late and 1 % doubled | of those corrected | events late | duplicates |\n|---|---|---|---|---|---|---|---|\n")
	for _, q := range queries {
		clean, dirty := tidemark(t, q, logs["clean"]), tidemark(t, q, logs["dirty"])
		n := dirty.counters
		if n.Consumed+n.Received != n.Aggregated+n.Duplicate+n.Late+n.Filtered+n.Invalid+n.Forwarded || n.Invalid > 0 {
			t.Errorf("%s: the account %+v doesn't balance", q, n)
		}
		for i := range clean.plan.Outputs {
			name := clean.plan.Outputs[i].Name
			cleanly, truth := want[answer{"clean", q, i}], want[answer{"dirty", q, i}]
			equal(t, name+", all on time: the stream", cleanly, clean.stream[i])
			equal(t, name+", all on time: the batch", cleanly, clean.corrected[i])
			equal(t, name+", late and doubled: corrected", truth, dirty.corrected[i])
			corrected := differ(truth, dirty.stream[i])
			if n.Late > 0 && corrected == 0 || n.Late+n.Duplicate == 0 && q != "q2" {
				t.Errorf("%s: the log does not test what it should: %+v", name, n)
			}
			file := fmt.Sprintf("[%s](%s.yaml)", name, q)
			fmt.Fprintf(&table, "| %s | %s | [SQL](%s.sql) | %d | %d | %d | %d | %d |\n", file, operators(clean.plan), q, len(cleanly), len(truth), corrected, n.Late, n.Duplicate)
		}
	}
	t.Logf("%d events:\n%s", events, &table)
	if events == usual {
		golden(t, table.String())
	}
}

// usual is how many events a log has; TIDEMARK_EVENTS says otherwise.
const usual = 20_000

func size(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TIDEMARK_EVENTS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < usual {
		t.Fatalf("TIDEMARK_EVENTS is %q: a number from %d on", text, usual)
	}
	return n
}

// equal wants the same rows, to the bit.
func equal(t *testing.T, what string, want, got rows) {
	t.Helper()
	if len(want) < 5 && !strings.HasPrefix(what, "q15") {
		t.Errorf("%s: %d rows prove little", what, len(want))
	}
	wrong := 0
	for place, w := range want {
		if g, ok := got[place]; !ok || g != w {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: %s is\n %s, by DuckDB\n %s", what, place, g, w)
			}
		}
	}
	for place, g := range got {
		if _, ok := want[place]; !ok {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: %s is %s, by DuckDB it shouldn't be", what, place, g)
			}
		}
	}
	if wrong > 3 {
		t.Errorf("%s: %d of %d rows are wrong", what, wrong, len(want))
	}
}

// differ counts the places at which two have not the same.
func differ(a, b rows) int {
	n := 0
	for place, v := range a {
		if b[place] != v {
			n++
		}
	}
	for place := range b {
		if _, ok := a[place]; !ok {
			n++
		}
	}
	return n
}

// golden holds the table against its file, and wants it in README.md.
func golden(t *testing.T, got string) {
	t.Helper()
	if *rewrite {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile("testdata/rows.md", []byte(got), 0o644))
	}
	for _, file := range []string{"testdata/rows.md", "README.md"} {
		text, err := os.ReadFile(file)
		must(t, err)
		if !strings.Contains(string(text), got) {
			t.Errorf("%s lacks this table (-rewrite writes testdata/rows.md anew):\n%s", file, got)
		}
	}
}

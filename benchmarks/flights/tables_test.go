package flights

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write the tables of README.md anew")

// keep wants a table to stand in README.md, between its marks.
func keep(t *testing.T, name, table string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	must(t, err)
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		t.Errorf("README.md has no table between %q and %q", begin, end)
	case old == table:
	case *rewrite:
		must(t, os.WriteFile("README.md", []byte(before+begin+table+end+after), 0o644))
	default:
		t.Errorf("README.md has another table of %s; -rewrite writes it anew:\n%s", name, table)
	}
}

// airport is the one that the tables show.
const airport = "JFK"

// of gives the airport's rows of an output that start in a span of local time, in their order.
func of(r rows, output string, from, to time.Time) (out []place) {
	for at := range r {
		if at.output == output && at.key == airport && from.UnixMilli() <= at.start && at.start < to.UnixMilli() {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, func(a, b place) int { return int(a.start - b.start) })
	return out
}

func hours(p place) int64 { return (p.end - p.start) / time.Hour.Milliseconds() }

// short is a number with one digit behind the point.
func short(t *testing.T, text string) string {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	must(t, err)
	return fmt.Sprintf("%.1f", n)
}

// daysTable sets New York's days beside those of UTC.
func daysTable(t *testing.T, r rows) string {
	t.Helper()
	ny := newYork(t)
	local := of(r, "departures-new-york-day", date(8, ny), date(13, ny))
	utc := of(r, "departures-utc-day", date(8, time.UTC), date(13, time.UTC))
	if len(local) != 5 || len(utc) != 5 {
		t.Fatalf("%d and %d days, want 5 of each", len(local), len(utc))
	}
	var b strings.Builder
	b.WriteString("| March 2013 | New York's day in UTC | hours | flights | mean delay | p95 | UTC's day in New York | hours | flights | mean delay | p95 |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|---|---:|---:|---:|---:|\n")
	for i, l := range local {
		u := utc[i]
		fmt.Fprintf(&b, "| %s | %s to %s | %d | %s | %s | %s | %s to %s | %d | %s | %s | %s |\n",
			time.UnixMilli(l.start).In(ny).Format("Mon 2"), clock(l.start, time.UTC), clock(l.end, time.UTC), hours(l),
			r[l]["flights"], short(t, r[l]["mean_delay"]), short(t, r[l]["p95_delay"]),
			clock(u.start, ny), clock(u.end, ny), hours(u), r[u]["flights"], short(t, r[u]["mean_delay"]), short(t, r[u]["p95_delay"]))
	}
	return b.String()
}

// quartersTable shows the windows of six hours around the change of clocks.
func quartersTable(t *testing.T, r rows) string {
	t.Helper()
	ny := newYork(t)
	var b strings.Builder
	b.WriteString("| day | window in New York | in UTC | hours | flights | median delay | early, < 15, < 60, more |\n|---|---|---|---:|---:|---:|---|\n")
	for _, p := range of(r, "departures-6h-new-york", date(9, ny), date(12, ny)) {
		fmt.Fprintf(&b, "| %s | %s to %s | %s to %s | %d | %s | %s | %s |\n", time.UnixMilli(p.start).In(ny).Format("Mon 2"),
			clock(p.start, ny), clock(p.end, ny), clock(p.start, time.UTC), clock(p.end, time.UTC), hours(p),
			r[p]["flights"], short(t, r[p]["median_delay"]), strings.Trim(r[p]["delays"], "[]"))
	}
	return b.String()
}

// weeksTable shows the weeks over all airports, of which one had 167 hours.
func weeksTable(r rows) string {
	var weeks []place
	for at := range r {
		if at.output == "aircraft-weekly" {
			weeks = append(weeks, at)
		}
	}
	slices.SortFunc(weeks, func(a, b place) int { return int(a.start - b.start) })
	var b strings.Builder
	b.WriteString("| week in UTC | hours | flights | aircraft | approx_distinct |\n|---|---:|---:|---:|---:|\n")
	for _, p := range weeks {
		fmt.Fprintf(&b, "| %s to %s | %d | %s | %s | %s |\n",
			instant(p.start), instant(p.end), hours(p), r[p]["flights"], r[p]["aircraft"], r[p]["aircraft_about"])
	}
	return b.String()
}

func newYork(t *testing.T) *time.Location {
	t.Helper()
	ny, err := time.LoadLocation("America/New_York")
	must(t, err)
	return ny
}

func date(day int, in *time.Location) time.Time { return time.Date(2013, 3, day, 0, 0, 0, 0, in) }

func clock(ms int64, in *time.Location) string { return time.UnixMilli(ms).In(in).Format("2 15:04") }

// account is what became of the records in one output.
type account struct {
	pipeline, output                                        string
	rows, wrong, withdrawn                                  int
	records, filtered, duplicate, late, missed, repartition int64
}

func accountOf(t *testing.T, name string, output int, l lanes, fixes rows) account {
	t.Helper()
	n := l.counters
	a := account{pipeline: name, output: l.plan.Outputs[output].Name, records: n.Consumed, filtered: n.Filtered,
		duplicate: n.Duplicate, late: n.Late, missed: n.Outputs[output].Missed, repartition: n.Received}
	for at, r := range fixes {
		switch {
		case at.output != a.output:
		case r == nil:
			a.withdrawn++
		default:
			a.wrong++
		}
	}
	if (n.Received > 0) != l.plan.Rekeyed {
		t.Errorf("%s: %d records through the repartition topic", name, n.Received)
	}
	return a
}

func accountsTable(all []account) string {
	var b strings.Builder
	b.WriteString("| pipeline | output | records | filtered | duplicate | late | repartitioned | windows missed | true rows | corrected | withdrawn |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, a := range all {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n",
			a.pipeline, a.output, a.records, a.filtered, a.duplicate, a.late, a.repartition, a.missed, a.rows, a.wrong, a.withdrawn)
	}
	return b.String()
}

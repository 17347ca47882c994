package streamtest

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/flow"
)

// run checks a case: nil, or the first thing that isn't as it must be.
func (c *metaCase) run(schedules int) error {
	o, err := newOracle(c)
	if err != nil {
		return err
	}
	var verdicts []*oracleVerdict
	for n := range c.log.cuts {
		verdicts = append(verdicts, o.judge(n, false))
	}
	var first []*cutState
	for n := range schedules {
		s, err := newSchedule(c, uint64(n))
		if err != nil {
			return err
		}
		states, err := s.run()
		if err != nil {
			return fmt.Errorf("schedule %d: %w", n, err)
		}
		for i, state := range states {
			if err := c.checkCut(state, verdicts[i]); err != nil {
				return fmt.Errorf("schedule %d, cut %d: %w", n, i, err)
			}
			if n == 0 {
				continue
			}
			if err := sameCut(first[i], state); err != nil {
				return fmt.Errorf("schedules 0 and %d, cut %d: %w", n, i, err)
			}
		}
		if err := onceClosed(s.d.Rows()); err != nil {
			return fmt.Errorf("schedule %d: %w", n, err)
		}
		if n == 0 {
			first, c.sum = states, states[len(states)-1].sum
			if err := c.checkEnd(s.d, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameCut: the same cut means the same state, outputs and counters (law L4; flow, invariant 2).
func sameCut(a, b *cutState) error {
	for i := range a.state {
		if !bytes.Equal(a.state[i], b.state[i]) {
			return fmt.Errorf("law L4: the state of task %d differs:\n%x\n%x", i, a.state[i], b.state[i])
		}
		if a.counters[i] != b.counters[i] {
			return fmt.Errorf("law L4: the counters of task %d differ:\n%s\n%s", i, a.counters[i], b.counters[i])
		}
		if a.bounds[i] != b.bounds[i] {
			return fmt.Errorf("the bound of task %d differs: %d and %d", i, a.bounds[i], b.bounds[i])
		}
	}
	if !slices.Equal(a.marks, b.marks) {
		return fmt.Errorf("law L4: the watermarks differ:\n%v\n%v", a.marks, b.marks)
	}
	if x, y := rowTexts(closedOf(a.rows)), rowTexts(closedOf(b.rows)); !slices.Equal(x, y) {
		return fmt.Errorf("law L4: the results differ:\n%s\n%s", strings.Join(x, "\n"), strings.Join(y, "\n"))
	}
	if x, y := rowTexts(a.open), rowTexts(b.open); !slices.Equal(x, y) {
		return fmt.Errorf("law L4: the open windows differ:\n%s\n%s", strings.Join(x, "\n"), strings.Join(y, "\n"))
	}
	if x, y := reportTexts(a.reports, true), reportTexts(b.reports, true); !slices.Equal(x, y) {
		return fmt.Errorf("law L4: the reports differ:\n%s\n%s", strings.Join(x, "\n"), strings.Join(y, "\n"))
	}
	return nil
}

func closedOf(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Open })
}

// rowTexts are rows for comparing bit for bit, sorted.
func rowTexts(rows []Row) []string {
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = fmt.Sprintf("%s %x [%d, %d) events %d duplicates %d open %v: %+v", rows[i].Output, rows[i].Key, rows[i].Start, rows[i].End,
			rows[i].Events, rows[i].Duplicates, rows[i].Open, rows[i].Values)
	}
	sort.Strings(out)
	return out
}

// reportTexts are reports as the oracle writes them, and with reasons if wanted, sorted.
func reportTexts(reports []flow.Report, reasons bool) []string {
	var out []string
	for i := range reports {
		r := &reports[i]
		text := reportText([]string{"late", "missed", "invalid"}[r.Kind], r.Source, int(r.Place.Partition), int(r.Place.Offset), r.Time, r.Output, r.Watermark)
		if reasons {
			text += " " + r.Reason
		}
		out = append(out, text)
	}
	sort.Strings(out)
	return out
}

// onceClosed: a window closes once, and revisions never fall (law L2).
func onceClosed(rows []Row) error {
	type state struct {
		events int64
		closed bool
	}
	seen := map[string]*state{}
	for i := range rows {
		r := &rows[i]
		name := fmt.Sprintf("%s %x %d", r.Output, r.Key, r.Start)
		s := seen[name]
		if s == nil {
			s = &state{}
			seen[name] = s
		}
		if s.closed {
			return fmt.Errorf("law L2: window %s is published again after it has closed", name)
		}
		if r.Events < s.events {
			return fmt.Errorf("window %s: revision %d comes after %d", name, r.Events, s.events)
		}
		s.events, s.closed = r.Events, !r.Open
	}
	return nil
}

// checkCut compares what the stream has made of a prefix with the oracle.
func (c *metaCase) checkCut(got *cutState, want *oracleVerdict) error {
	for s := range want.marks {
		if !slices.Equal(got.reached[s], want.marks[s]) {
			return fmt.Errorf("watermarks of source %d are %v, by the oracle %v", s, got.reached[s], want.marks[s])
		}
	}
	if x := reportTexts(got.reports, false); !slices.Equal(x, want.reports) {
		return fmt.Errorf("the reports differ from the oracle's:\n%s", difference(x, want.reports))
	}
	closed, open := c.oracleRows(want)
	if err := c.compareRows(closedOf(got.rows), closed); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	if err := c.compareRows(got.open, open); err != nil {
		return fmt.Errorf("open windows: %w", err)
	}
	if err := c.checkBounds(got, want); err != nil {
		return err
	}
	return c.checkCounters(&got.sum, want, closed)
}

// difference lists what only one of two sorted lists has.
func difference(got, want []string) string {
	var b strings.Builder
	for _, x := range got {
		if !slices.Contains(want, x) {
			fmt.Fprintf(&b, "got only:  %s\n", x)
		}
	}
	for _, x := range want {
		if !slices.Contains(got, x) {
			fmt.Fprintf(&b, "want only: %s\n", x)
		}
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "how often: got %v, want %v", got, want)
	}
	return b.String()
}

// oracleRows are the windows that are closed by the tasks' watermarks, and those still open of outputs that are updated.
func (c *metaCase) oracleRows(v *oracleVerdict) (closed, open []*oracleWindow) {
	for _, w := range v.windows {
		o := &c.p.outputs[w.output]
		switch low := v.low[w.partition]; {
		case low != never && low >= w.end+o.lateness:
			closed = append(closed, w)
		case o.updates:
			open = append(open, w)
		}
	}
	return closed, open
}

func (c *metaCase) checkCounters(got *flow.Counters, want *oracleVerdict, closed []*oracleWindow) error {
	w := &want.counts
	have := oracleCounts{consumed: got.Consumed, received: got.Received, aggregated: got.Aggregated, duplicate: got.Duplicate, late: got.Late,
		filtered: got.Filtered, invalid: got.Invalid, forwarded: got.Forwarded, pairs: got.Pairs, pairsFiltered: got.PairsFiltered, pairsInvalid: got.PairsInvalid}
	have.rules = append([]int64{}, got.Rules...)
	results := make([]int64, len(c.p.outputs))
	for _, row := range closed {
		results[row.output]++
	}
	for i := range got.Outputs {
		have.missed = append(have.missed, got.Outputs[i].Missed)
		if got.Outputs[i].Closed != results[i] {
			return fmt.Errorf("output %d: %d closed, by the oracle %d", i, got.Outputs[i].Closed, results[i])
		}
	}
	if x, y := fmt.Sprintf("%+v", have), fmt.Sprintf("%+v", *w); x != y {
		return fmt.Errorf("the counters differ:\ngot  %s\nwant %s", x, y)
	}
	return nil
}

// compareRows compares the values of windows with the oracle's, bit for bit.
func (c *metaCase) compareRows(got []Row, want []*oracleWindow) error {
	number := map[string]int{}
	for i := range c.p.outputs {
		number[c.p.outputs[i].name] = i
	}
	of := map[oracleName]*oracleWindow{}
	for _, w := range want {
		of[w.name()] = w
	}
	for i := range got {
		r := &got[i]
		n := oracleName{number[r.Output], r.Start, r.End, string(r.Key)}
		w := of[n]
		if w == nil {
			return fmt.Errorf("%v with %d events: the oracle has none, or it came twice", n, r.Events)
		}
		delete(of, n)
		if r.Events != int64(len(w.members)) || r.Duplicates != w.duplicates {
			return fmt.Errorf("%v: %d events and %d duplicates, by the oracle %d and %d", n, r.Events, r.Duplicates, len(w.members), w.duplicates)
		}
		o := &c.p.outputs[w.output]
		for k := range o.aggs {
			if want := o.aggs[k].fold(w.members, k); !sameValue(r.Values[k], want) {
				return fmt.Errorf("%v: %s is %v, by the oracle %v", n, o.aggs[k].text(), r.Values[k], want)
			}
		}
	}
	for n, w := range of { // any of them
		return fmt.Errorf("%v with %d events is missing", n, len(w.members))
	}
	return nil
}

// sameValue compares a value with the oracle's: doubles to the bit, any NaN with any.
func sameValue(got schema.Value, want any) bool {
	switch want := want.(type) {
	case nil:
		return got.Kind == schema.KindNull
	case bool:
		return got.Kind == schema.KindBool && got.Bool() == want
	case int64:
		return got.Kind == schema.KindInt && got.Int() == want
	case float64:
		return got.Kind == schema.KindFloat && (math.Float64bits(got.Float()) == math.Float64bits(want) || want != want && got.Float() != got.Float())
	case string:
		return got.Kind == schema.KindString && string(got.Bytes) == want
	case []byte:
		return got.Kind == schema.KindBytes && bytes.Equal(got.Bytes, want)
	case oracleNear:
		return got.Kind == schema.KindFloat && want.holds(got.Float())
	}
	return false
}

// checkEnd: at the end of input everything has closed. The slow lane equals the oracle over the whole log, and so does what
// the stream gave, corrected where the two differ; where they differ, a report says so.
func (c *metaCase) checkEnd(d *Driver, o *oracle) error {
	if err := d.End(); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	end, whole := o.judge(len(c.log.cuts)-1, true), o.judge(-1, true)
	if err := c.compareRows(closedOf(d.Rows()), end.windows); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	missing := slices.ContainsFunc(end.reports, func(r string) bool { return !strings.HasPrefix(r, "invalid") })
	for n := range c.p.outputs {
		rows, err := d.Batch(n)
		if err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		want := slices.DeleteFunc(slices.Clone(whole.windows), func(w *oracleWindow) bool { return w.output != n })
		if err := c.compareRows(rows, want); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		if c.seed%4 == 0 {
			if err := c.checkLake(n, rows); err != nil {
				return err
			}
		}
		stream := slices.DeleteFunc(closedOf(d.Rows()), func(r Row) bool { return r.Output != c.p.outputs[n].name })
		corrected, changed := correct(stream, rows)
		if changed > 0 && !missing {
			return fmt.Errorf("output %d: %d windows differ between stream and batch, though nothing was late or missed", n, changed)
		}
		if err := c.compareRows(corrected, want); err != nil {
			return fmt.Errorf("stream and corrections: %w", err)
		}
	}
	return nil
}

// correct does what a reconciler does: windows that differ are replaced, those that are gone are retracted.
func correct(stream, batch []Row) (rows []Row, changed int) {
	name := func(r *Row) string { return fmt.Sprintf("%x %d %d", r.Key, r.Start, r.End) }
	given := map[string]*Row{}
	for i := range stream {
		given[name(&stream[i])] = &stream[i]
	}
	for i := range batch {
		was := given[name(&batch[i])]
		delete(given, name(&batch[i]))
		if was != nil && was.Duplicates == batch[i].Duplicates && rowTexts([]Row{*was})[0] == rowTexts(batch[i : i+1])[0] {
			rows = append(rows, *was)
			continue
		}
		rows, changed = append(rows, batch[i]), changed+1
	}
	return rows, changed + len(given)
}

// checkBounds: a unit of reconciling waits for the bound, so it is above everything that is open.
func (c *metaCase) checkBounds(got *cutState, want *oracleVerdict) error {
	for _, w := range want.windows {
		task := int32(w.partition)
		if c.p.rekeyed() {
			task = partitionOf(w.key, c.p.width)
		}
		if closes := w.end + c.p.outputs[w.output].lateness; w.end <= metaTimeMax && got.bounds[task] < closes {
			return fmt.Errorf("the bound of task %d is %d, and a window closes at %d", task, got.bounds[task], closes)
		}
	}
	return nil
}

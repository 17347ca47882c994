package streamtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// The oracle of the metamorphic test: what a pipeline makes of a log, by the rules as DESIGN and the packages' comments
// state them. Of a window it knows no more than the set of events in it, and it computes everything from the whole log.

// oracle is the rules of one pipeline applied to one log.
type oracle struct {
	p        *metaPipeline
	log      *metaLog
	facts    [][][]*oracleFact // by source, partition, offset; nil: no event
	ids      [][][][16]byte
	nullable [][]bool // per output and field of its group: types, which the plan tells
	ordered  bool     // some aggregate orders events
}

// oracleArrival is an event at its source.
type oracleArrival struct {
	source, partition, offset int
	fact                      *oracleFact
	id                        [16]byte
	hasID                     bool
	mark                      int64 // its partition's watermark before it
}

// oracleEntry is what enters windows: an event, an element of one, or a pair.
type oracleEntry struct {
	uid       string // copies share it
	id        [16]byte
	time      int64
	mark      int64
	partition int // of the task, unless the pipeline is rekeyed
	keys      [][]byte
	args      [][]any
}

// oracleCounts are what is counted.
type oracleCounts struct {
	consumed, received, aggregated, duplicate, late, filtered, invalid, forwarded int64
	pairs, pairsFiltered, pairsInvalid                                            int64
	rules, missed                                                                 []int64
}

// oracleVerdict is what the oracle says of a prefix of the log.
type oracleVerdict struct {
	counts  oracleCounts
	reports []string
	marks   [][]int64 // by source and partition
	low     []int64   // the watermark of each task
	windows []*oracleWindow
}

// oracleWindow is a window, or a session, of a group.
type oracleWindow struct {
	output     int
	key        string
	start, end int64
	partition  int
	members    []*oracleMember
	duplicates int64
}

// limit is how many records of a partition come before cut n; -1: all.
func (o *oracle) limit(n, source, partition int) int {
	if n < 0 {
		return len(o.log.values[source][partition])
	}
	return o.log.cuts[n].at[source][partition]
}

// scan goes through a partition's log up to cut n, with the decisions on the way.
func (o *oracle) scan(n, source, partition int, each func(a *oracleArrival)) int64 {
	w := oracleMark{s: &o.p.sources[source]}
	next := 0
	limit := o.limit(n, source, partition)
	for offset := 0; ; offset++ {
		for ; n >= 0 && next <= n && o.log.cuts[next].at[source][partition] == offset; next++ {
			for _, r := range o.log.cuts[next].raises {
				if r.source == source && int(r.partition) == partition {
					w.raise(r.mark)
				}
			}
		}
		if offset == limit {
			return w.value()
		}
		a := &oracleArrival{source: source, partition: partition, offset: offset, fact: o.facts[source][partition][offset], mark: w.value()}
		if n < 0 {
			a.mark = never // a batch: nothing is late
		}
		if a.fact == nil {
			each(a)
			continue
		}
		if a.hasID = len(w.s.eventID) > 0; a.hasID {
			a.id = o.ids[source][partition][offset]
		} else {
			binary.BigEndian.PutUint32(a.id[4:], uint32(partition))
			binary.BigEndian.PutUint64(a.id[8:], uint64(offset))
		}
		each(a)
		w.observe(a.fact.time, a.id)
	}
}

// judge says what the log comes to at cut n; -1: what it comes to where nothing is late. ended says that the input ends there.
func (o *oracle) judge(n int, ended bool) *oracleVerdict {
	j := &oracleJudge{o: o, batch: n < 0, ended: ended || n < 0, v: &oracleVerdict{}, seen: map[string]bool{}, windows: map[oracleName]*oracleWindow{}, in: map[oracleIn]bool{}, spans: map[oracleName][]*oracleSessionEvent{}}
	j.v.counts.rules, j.v.counts.missed = make([]int64, len(o.p.rules)), make([]int64, len(o.p.outputs))
	var all []*oracleArrival
	for s := range o.p.sources {
		j.v.marks = append(j.v.marks, nil)
		for p := range o.log.values[s] {
			mark := o.scan(n, s, p, func(a *oracleArrival) {
				all = append(all, a)
			})
			j.v.marks[s] = append(j.v.marks[s], mark)
		}
	}
	j.lowest()
	for _, a := range all {
		j.arrive(a)
	}
	if o.p.joins() {
		j.join()
	}
	j.closeSessions()
	slices.Sort(j.v.reports)
	return j.v
}

// oracleJudge is a verdict in the making.
type oracleJudge struct {
	o       *oracle
	batch   bool // nothing is late, nothing forwarded
	ended   bool // all watermarks rise until everything closes
	v       *oracleVerdict
	seen    map[string]bool
	windows map[oracleName]*oracleWindow
	in      map[oracleIn]bool
	spans   map[oracleName][]*oracleSessionEvent
	sides   [2][]*oracleArrival // taken by a join
}

// lowest finds each task's watermark.
func (j *oracleJudge) lowest() {
	p := j.o.p
	for part := range int(p.width) {
		low := j.v.marks[0][part]
		for s := range p.sources {
			low = min(low, j.v.marks[s][part])
		}
		j.v.low = append(j.v.low, low)
	}
	if p.rekeyed() {
		low := slices.Min(j.v.low)
		for part := range j.v.low {
			j.v.low[part] = low
		}
	}
	if j.ended {
		for part := range j.v.low {
			j.v.low[part] = metaEnd * 2
		}
	}
}

func (j *oracleJudge) report(a *oracleArrival, kind string, output int) {
	t, mark := int64(0), int64(0)
	if a.fact != nil {
		t = a.fact.time
	}
	if kind != "invalid" {
		mark = a.mark
	}
	j.v.reports = append(j.v.reports, reportText(kind, a.source, a.partition, a.offset, t, output, mark))
}

func reportText(kind string, source, partition, offset int, t int64, output int, mark int64) string {
	return fmt.Sprintf("%s source %d partition %d offset %d time %d output %d watermark %d", kind, source, partition, offset, t, output, mark)
}

// arrive gives an event its fate.
func (j *oracleJudge) arrive(a *oracleArrival) {
	c := &j.v.counts
	c.consumed++
	if a.fact == nil {
		c.invalid++
		j.report(a, "invalid", 0)
		return
	}
	if j.o.p.joins() {
		j.take(a)
		return
	}
	best := fateFiltered
	for i := range a.fact.elements {
		best = min(best, j.element(a, i))
	}
	*[]*int64{&c.forwarded, &c.aggregated, &c.duplicate, &c.late, &c.invalid, &c.filtered}[best]++
	if best == fateLate {
		j.report(a, "late", 0)
	}
}

// The fates, the better ones of several elements first.
const (
	fateForwarded = iota
	fateAggregated
	fateDuplicate
	fateLate
	fateInvalid
	fateFiltered
)

// element gives an element of an event its fate.
func (j *oracleJudge) element(a *oracleArrival, i int) int {
	o, p := j.o, j.o.p
	s := &p.sources[a.source]
	e := &oracleEntry{time: a.fact.time, mark: a.mark, partition: a.partition}
	row := map[string]any{}
	s.addRow(row, a.fact.row)
	s.addRow(row, a.fact.elements[i])
	switch fate := j.evaluate(e, row, a.source); fate {
	case fateInvalid:
		j.report(a, "invalid", 0)
		return fate
	case fateFiltered:
		return fate
	}
	e.uid = fmt.Sprintf("%d/%d/%d/%d", a.source, a.partition, a.offset, i)
	if a.hasID || o.ordered {
		e.id = p.elementID(o.ids[a.source][a.partition][a.offset], a.source, i)
	}
	if a.hasID {
		e.uid = string(e.id[:])
	}
	missed := make([]int, len(p.outputs))
	late := true
	for n := range p.outputs {
		all := 0
		if missed[n], all = p.outputs[n].misses(e.time, a.mark); missed[n] < all {
			late = false
		}
	}
	if late {
		return fateLate
	}
	for n, m := range missed {
		if m > 0 {
			j.v.counts.missed[n] += int64(m)
			j.report(a, "missed", n)
		}
	}
	for n := range p.outputs {
		j.enter(e, n)
	}
	if p.rekeyed() && !j.batch {
		j.forward(a, e)
		return fateForwarded
	}
	return j.duplicate(a.hasID, e.uid)
}

func (j *oracleJudge) duplicate(hasID bool, uid string) int {
	if hasID && j.seen[uid] {
		return fateDuplicate
	}
	j.seen[uid] = true
	return fateAggregated
}

// elementID tells sources apart that enter the same windows, and elements of one event (pipeline/FORMAT.md).
func (p *metaPipeline) elementID(id [16]byte, source, element int) [16]byte {
	if p.shape == shapeCoGroup {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32(slices.Clone(id[:]), uint32(source)))
		id = [16]byte(sum[:16])
	}
	if p.sources[source].unnest != "" {
		binary.BigEndian.PutUint16(id[14:], uint16(element))
	}
	return id
}

// forward counts what the other half of a rekeyed pipeline does: one record for each partition that groups of outputs lie
// in for which the event isn't late.
func (j *oracleJudge) forward(a *oracleArrival, e *oracleEntry) {
	var to []int32
	for n := range j.o.p.outputs {
		if missed, all := j.o.p.outputs[n].misses(e.time, a.mark); missed == all {
			continue
		}
		if part := partitionOf(string(e.keys[n]), j.o.p.width); !slices.Contains(to, part) {
			to = append(to, part)
		}
	}
	for _, part := range to {
		j.v.counts.received++
		if j.duplicate(a.hasID, fmt.Sprintf("%s to %d", e.uid, part)) == fateDuplicate {
			j.v.counts.duplicate++
		} else {
			j.v.counts.aggregated++
		}
	}
}

// addRow enters a source's fields under the names that the pipeline file has for them.
func (s *metaSource) addRow(to, from map[string]any) {
	for path, v := range from {
		if s.name != "" {
			path = s.name + "." + path
		}
		to[path] = v
	}
}

// misses is how many windows of a time a watermark has passed, and how many there are.
func (o *metaOutput) misses(t, mark int64) (missed, all int) {
	if o.gap > 0 {
		return b2i(mark != never && mark >= t+o.lateness), 1
	}
	spans := o.spans(t)
	for _, s := range spans {
		if mark != never && mark >= s.end+o.lateness {
			missed++
		}
	}
	return missed, len(spans)
}

// oracleSessionEvent is an event on its way to a session.
type oracleSessionEvent struct {
	*oracleMember
	uid string
}

// enter puts an event into those windows of an output that it is in time for.
func (j *oracleJudge) enter(e *oracleEntry, n int) {
	out := &j.o.p.outputs[n]
	if out.gap > 0 {
		if missed, _ := out.misses(e.time, e.mark); missed > 0 {
			return
		}
		span := out.spans(e.time)[0]
		w := j.window(e, n, span)
		for _, m := range j.spans[w.name()] {
			if m.uid == e.uid {
				m.copies++
				return
			}
		}
		j.spans[w.name()] = append(j.spans[w.name()], &oracleSessionEvent{&oracleMember{time: e.time, id: e.id, copies: 1, args: e.args[n]}, e.uid})
		return
	}
	for _, span := range out.spans(e.time) {
		if e.mark != never && e.mark >= span.end+out.lateness {
			continue
		}
		w := j.window(e, n, span)
		if in := (oracleIn{w.name(), e.uid}); j.in[in] {
			w.duplicates++
		} else {
			j.in[in] = true
			w.members = append(w.members, &oracleMember{time: e.time, id: e.id, copies: 1, args: e.args[n]})
		}
	}
}

// oracleName tells windows apart.
type oracleName struct {
	output     int
	start, end int64
	key        string
}

func (w *oracleWindow) name() oracleName { return oracleName{w.output, w.start, w.end, w.key} }

func (n oracleName) String() string {
	return fmt.Sprintf("output %d key %x [%d, %d)", n.output, n.key, n.start, n.end)
}

// oracleIn says that an event, or a copy of it, is in a window.
type oracleIn struct {
	oracleName
	uid string
}

func (j *oracleJudge) window(e *oracleEntry, n int, span oracleSpan) *oracleWindow {
	w := &oracleWindow{output: n, key: string(e.keys[n]), start: span.start, end: span.end, partition: e.partition}
	if known := j.windows[w.name()]; known != nil {
		return known
	}
	j.windows[w.name()] = w
	j.v.windows = append(j.v.windows, w)
	return w
}

// closeSessions sorts the events of each span, and cuts them where there is silence.
func (j *oracleJudge) closeSessions() {
	var out []*oracleWindow
	for _, w := range j.v.windows {
		gap := j.o.p.outputs[w.output].gap
		if gap == 0 {
			out = append(out, w)
			continue
		}
		events := j.spans[w.name()]
		slices.SortStableFunc(events, func(a, b *oracleSessionEvent) int { return cmp.Compare(a.time, b.time) })
		for i, from := 0, 0; i < len(events); i++ {
			if i+1 < len(events) && events[i+1].time-events[i].time < gap {
				continue
			}
			s := &oracleWindow{output: w.output, key: w.key, partition: w.partition, start: events[from].time, end: min(events[i].time+gap, w.end)}
			for _, m := range events[from : i+1] {
				s.members, s.duplicates = append(s.members, m.oracleMember), s.duplicates+int64(m.copies-1)
			}
			out = append(out, s)
			from = i + 1
		}
	}
	j.v.windows = out
}

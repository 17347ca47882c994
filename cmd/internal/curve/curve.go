package curve

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Limits of what is remembered.
const (
	CopiesApart = 1 << 20 // events of a partition within which copies are told
	WindowsMax  = 1 << 21 // windows of one setting
)

// Setting is a pair of bounds to try.
type Setting struct {
	OutOfOrderness time.Duration // negative: each source's own
	Lateness       time.Duration // negative: each output's own
}

// Own is what the pipeline file says.
var Own = Setting{-1, -1}

// Point is what one setting gives.
type Point struct {
	Setting
	Late    int64 // events that miss all of their windows
	Windows int   // windows that some event misses
	Hours   int   // hours of event time, and so of the lake, in which late events lie
	AtLeast bool  // Windows has reached WindowsMax
}

// Curve is built by one pass over a log. It belongs to one goroutine.
type Curve struct {
	plan  *pipeline.Plan
	eval  *pipeline.Eval
	since int64

	Events, Copies, Filtered, Invalid int64 // what became of the records; Events count
	Windows                           int   // distinct windows of all outputs
	First, Last                       int64 // event times, ms

	settings []setting
	all      set
	need     []int64 // per candidate: events that need more lateness than those before it
	bounds   []int64 // distinct values of out-of-orderness; negative: own
	seed     maphash.Seed
	spans    []window.Span
	joins    bool
}

type setting struct {
	Point
	bound   int // index into bounds
	windows set
	hours   map[int64]struct{}
}

// set is a bounded set of hashes.
type set struct {
	of   map[uint64]struct{}
	full bool
}

func (s *set) add(h uint64) {
	if _, ok := s.of[h]; ok {
		return
	}
	if len(s.of) >= WindowsMax {
		s.full = true
		return
	}
	if s.of == nil {
		s.of = map[uint64]struct{}{}
	}
	s.of[h] = struct{}{}
}

// Candidates are the latenesses among which a suggestion is made.
var Candidates = []time.Duration{
	0, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 45 * time.Minute,
	time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour, 18 * time.Hour,
	24 * time.Hour, 36 * time.Hour, 48 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour,
}

// New makes a curve for the settings. Events of times before since (ms) move watermarks and count for nothing else.
func New(plan *pipeline.Plan, settings []Setting, since int64) *Curve {
	c := &Curve{plan: plan, eval: plan.NewEval(), since: since, seed: maphash.MakeSeed(), need: make([]int64, len(Candidates)+1),
		bounds: []int64{-1}, First: window.TimeMax, Last: window.TimeMin,
		joins: plan.Shape == pipeline.IntervalJoin || plan.Shape == pipeline.Enrich}
	for _, s := range settings {
		bound := int64(-1)
		if s.OutOfOrderness >= 0 {
			bound = s.OutOfOrderness.Milliseconds()
		}
		at := slices.Index(c.bounds, bound)
		if at < 0 {
			at = len(c.bounds)
			c.bounds = append(c.bounds, bound)
		}
		c.settings = append(c.settings, setting{Point: Point{Setting: s}, bound: at, hours: map[int64]struct{}{}})
	}
	return c
}

// Partition reads the records of one partition of a source, in the order of the log.
type Partition struct {
	c      *Curve
	source int
	number int32
	marks  []window.Watermark
	opts   []window.WatermarkOptions
	// recent and older are the identities of the last CopiesApart to 2 x CopiesApart events.
	recent, older map[[16]byte]struct{}
}

// Partition begins a partition.
func (c *Curve) Partition(source int, number int32) *Partition {
	p := &Partition{c: c, source: source, number: number, recent: map[[16]byte]struct{}{}}
	for _, bound := range c.bounds {
		o := c.plan.Sources[source].Watermark
		if bound >= 0 {
			o.OutOfOrderness = bound
		}
		p.marks, p.opts = append(p.marks, window.NewWatermark()), append(p.opts, o)
	}
	return p
}

// Record takes the next record.
func (p *Partition) Record(offset int64, value []byte) error {
	c := p.c
	err := c.eval.Decode(p.source, value)
	var bad *schema.RecordError
	if errors.As(err, &bad) {
		c.Invalid++
		return nil
	}
	if err != nil {
		return err
	}
	t := c.eval.Event.Time
	id, hasID := c.eval.Identity()
	if !hasID {
		binary.BigEndian.PutUint32(id[4:], uint32(p.number))
		binary.BigEndian.PutUint64(id[8:], uint64(offset))
	}
	switch {
	case t < c.since:
	case hasID && p.copy(id):
		c.Copies++
	default:
		if err := p.judge(t); err != nil {
			return err
		}
	}
	for i := range p.marks {
		p.marks[i].Observe(t, id, p.opts[i])
	}
	return nil
}

// copy says whether the identity was there before, and remembers it.
func (p *Partition) copy(id [16]byte) bool {
	if _, ok := p.recent[id]; ok {
		return true
	}
	if _, ok := p.older[id]; ok {
		return true
	}
	if len(p.recent) >= CopiesApart {
		p.older, p.recent = p.recent, make(map[[16]byte]struct{}, CopiesApart)
	}
	p.recent[id] = struct{}{}
	return false
}

// judge counts an event under all settings.
func (p *Partition) judge(t int64) error {
	c := p.c
	verdict := verdict{late: make([]bool, len(c.settings))}
	kept, filtered := false, false
	if c.joins {
		kept = true
		p.judgeJoined(t, &verdict)
	} else {
		for i := range c.eval.Elements() {
			fate, err := c.eval.Element(i)
			var bad *schema.RecordError
			switch {
			case errors.As(err, &bad) || err == nil && fate.Outcome == pipeline.Quarantined:
				continue
			case err != nil:
				return err
			case fate.Outcome == pipeline.Filtered:
				filtered = true
				continue
			}
			p.judgeElement(t, &verdict, !kept)
			kept = true
		}
	}
	switch {
	case kept:
	case filtered || c.eval.Elements() == 0:
		c.Filtered++
		return nil
	default:
		c.Invalid++
		return nil
	}
	c.Events++
	c.First, c.Last = min(c.First, t), max(c.Last, t)
	c.need[verdict.need]++
	for i := range c.settings {
		if s := &c.settings[i]; verdict.late[i] {
			s.Late++
		}
	}
	return nil
}

// verdict is that of an event under all settings. An event of several elements is late if all of them are.
type verdict struct {
	late []bool
	need int // how many of Candidates are not enough
}

// judgeElement judges what Eval holds.
func (p *Partition) judgeElement(t int64, v *verdict, first bool) {
	c := p.c
	late := make([]bool, len(c.settings))
	for i := range late {
		late[i] = true
	}
	end := int64(window.TimeMin)
	for o := range c.plan.Outputs {
		out := &c.plan.Outputs[o]
		c.spans = out.Assign(t, c.spans[:0])
		for _, span := range c.spans {
			over := span.End
			if out.Session() {
				over = t // a session takes an event until its lateness after the event itself
			}
			end = max(end, over)
			hash := c.hash(o, span.Start)
			c.all.add(hash)
			for i := range c.settings {
				s := &c.settings[i]
				lateness := s.Lateness.Milliseconds()
				if s.Lateness < 0 {
					lateness = out.Lateness
				}
				if mark := p.mark(s.bound); mark == window.NoWatermark || mark < over+lateness {
					late[i] = false
					continue
				}
				s.windows.add(hash)
				s.hours[hour(t)] = struct{}{}
			}
		}
	}
	for i := range late {
		v.late[i] = late[i] && (first || v.late[i])
	}
	if need := p.need(end); first || need < v.need {
		v.need = need
	}
}

// judgeJoined judges an event of a join, whose windows nobody knows before it meets others.
func (p *Partition) judgeJoined(t int64, v *verdict) {
	for i := range p.c.settings {
		s := &p.c.settings[i]
		lateness := s.Lateness.Milliseconds()
		if s.Lateness < 0 {
			lateness = p.c.plan.Join.Lateness
		}
		if mark := p.mark(s.bound); mark != window.NoWatermark && mark >= t+lateness {
			v.late[i] = true
			s.hours[hour(t)] = struct{}{}
		}
	}
	v.need = p.need(t)
}

// need is how many of Candidates are not enough for windows that end at end, by the pipeline's own out-of-orderness.
func (p *Partition) need(end int64) int {
	mark := p.mark(0)
	if mark == window.NoWatermark || mark < end {
		return 0
	}
	short := 0
	for short < len(Candidates) && mark >= end+Candidates[short].Milliseconds() {
		short++
	}
	return short
}

func (p *Partition) mark(bound int) int64 { return p.marks[bound].Value(p.opts[bound]) }

func (c *Curve) hash(output int, start int64) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, [2]int64{int64(output), start})
	if _, err := h.Write(c.eval.Input.Keys[output]); err != nil {
		return 0 // it never fails
	}
	return h.Sum64()
}

func hour(t int64) int64 {
	const millis = int64(time.Hour / time.Millisecond)
	h := t / millis
	if t%millis < 0 {
		h--
	}
	return h
}

// Points are the settings with what they give.
func (c *Curve) Points() []Point {
	c.Windows = len(c.all.of)
	points := make([]Point, len(c.settings))
	for i := range c.settings {
		s := &c.settings[i]
		points[i] = s.Point
		points[i].Windows, points[i].Hours, points[i].AtLeast = len(s.windows.of), len(s.hours), s.windows.full
	}
	return points
}

// LateWith is how many events would be late with one of Candidates and the pipeline's own out-of-orderness.
func (c *Curve) LateWith(candidate int) int64 {
	n := int64(0)
	for short := candidate + 1; short < len(c.need); short++ {
		n += c.need[short]
	}
	return n
}

// Suggest is the first of Candidates that leaves less than a share of the events late; false if none does.
func (c *Curve) Suggest(share float64) (candidate int, ok bool) {
	for i := range Candidates {
		if float64(c.LateWith(i)) < share*float64(max(c.Events, 1)) {
			return i, true
		}
	}
	return 0, false
}

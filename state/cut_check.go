package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Limits of a cut. They keep names fixed in width and reads bounded.
const (
	journalMax          = 9_999_999_999 // 10 digits in a manifest's name
	sourcesMax          = 64
	fingerprintBytesMax = 64
	cutBytesMax         = 1 << 20
)

// Validate reports every fault of the cut at once. It is called when a cut is
// written and again whenever one is read (doc.go, invariant 4).
func (c *Cut) Validate() error { return join(c.faults()...) }

func (c *Cut) faults() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Version != CutVersion {
		bad("cut version %d, want %d", c.Version, CutVersion)
	}
	if c.Pipeline == "" {
		bad("cut names no pipeline")
	}
	if c.Task < 0 {
		bad("cut of task %d", c.Task)
	}
	if !validFingerprint(c.Fingerprint) {
		bad("fingerprint %q: want 1 to %d letters and digits", c.Fingerprint, fingerprintBytesMax)
	}
	if c.Journal < 0 || c.Journal > journalMax {
		bad("journal position %d: want 0 to %d", c.Journal, int64(journalMax))
	}
	if c.Life < 0 || c.Life > c.Journal+1 {
		bad("a life that began with decision %d, at journal position %d", c.Life, c.Journal)
	}
	if len(c.Sources) == 0 || len(c.Sources) > sourcesMax {
		bad("cut over %d sources: want 1 to %d", len(c.Sources), sourcesMax)
	}
	for i := range c.Sources {
		errs = append(errs, c.Sources[i].faults()...)
		if slices.ContainsFunc(c.Sources[:i], func(s Source) bool { return s.Topic == c.Sources[i].Topic }) {
			bad("source %q twice", c.Sources[i].Topic)
		}
	}
	return append(errs, c.Counters.faults()...)
}

func (s *Source) faults() []error {
	var errs []error
	if s.Topic == "" {
		errs = append(errs, errors.New("source without a topic"))
	}
	if s.Next < 0 {
		errs = append(errs, fmt.Errorf("source %q: next offset %d", s.Topic, s.Next))
	}
	if s.Partition < 0 || s.Partition >= s.Partitions {
		errs = append(errs, fmt.Errorf("source %q: partition %d of %d", s.Topic, s.Partition, s.Partitions))
	}
	if len(s.Watermark) > 0 && !json.Valid(s.Watermark) {
		errs = append(errs, fmt.Errorf("source %q: watermark is not JSON", s.Topic))
	}
	return errs
}

func (n *Counters) faults() []error {
	var errs []error
	for _, f := range n.named() {
		if f.value < 0 {
			errs = append(errs, fmt.Errorf("counter %s is %d", f.name, f.value))
		}
	}
	if sum := n.Aggregated + n.Duplicate + n.Late + n.Filtered + n.Invalid + n.Forwarded; sum != n.Consumed+n.Received {
		errs = append(errs, fmt.Errorf("%w: consumed %d + received %d, but aggregated %d + duplicate %d + late %d + filtered %d + invalid %d + forwarded %d = %d",
			errUnbalanced, n.Consumed, n.Received, n.Aggregated, n.Duplicate, n.Late, n.Filtered, n.Invalid, n.Forwarded, sum))
	}
	return errs
}

// errUnbalanced marks the fault that breaks law L3.
var errUnbalanced = errors.New("counters do not balance")

type namedCount struct {
	name    string
	value   int64
	falling bool // may go down: it says what is, not what was
}

// named lists all counters under the names of their JSON fields.
func (n *Counters) named() []namedCount {
	list := []namedCount{
		{"consumed", n.Consumed, false}, {"aggregated", n.Aggregated, false}, {"duplicate", n.Duplicate, false},
		{"late", n.Late, false}, {"filtered", n.Filtered, false}, {"invalid", n.Invalid, false},
		{"forwarded", n.Forwarded, false}, {"received", n.Received, false},
		{"pairs", n.Pairs, false}, {"pairs_filtered", n.PairsFiltered, false}, {"pairs_invalid", n.PairsInvalid, false},
	}
	for i := range n.Rules {
		list = append(list, namedCount{"rule " + n.Rules[i].Name, n.Rules[i].Fired, false})
	}
	for i := range n.Outputs {
		o := &n.Outputs[i]
		list = append(list, namedCount{o.Name + ".closed", o.Closed, false},
			namedCount{o.Name + ".missed", o.Missed, false}, namedCount{o.Name + ".open", o.Open, true})
	}
	return list
}

func validFingerprint(s string) bool {
	if s == "" || len(s) > fingerprintBytesMax {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// follows reports why c cannot come after prev in one store, or nil. Offsets,
// journal, watermarks and totals never go back, and what the state is about
// never changes: another fingerprint, a recreated topic or a reset begins in
// an empty store. The same position must be the same state.
func (c *Cut) follows(prev *Cut) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := c.sameSubject(prev); err != nil {
		return err
	}
	var advanced int64
	for i := range c.Sources {
		was, is := &prev.Sources[i], &c.Sources[i]
		if is.Next < was.Next {
			bad("next offset of %q goes back from %d to %d", is.Topic, was.Next, is.Next)
		}
		if is.Reached < was.Reached {
			bad("watermark of %q falls from %d to %d", is.Topic, was.Reached, is.Reached)
		}
		advanced += is.Next - was.Next
	}
	if c.Journal < prev.Journal {
		bad("journal goes back from %d to %d", prev.Journal, c.Journal)
	}
	was, is := prev.Counters.named(), c.Counters.named()
	for i := range is {
		if !is[i].falling && is[i].value < was[i].value {
			bad("counter %s falls from %d to %d", is[i].name, was[i].value, is[i].value)
		}
	}
	n := c.Counters.Consumed - prev.Counters.Consumed // what is received are parts of records
	if len(errs) == 0 && n > advanced {
		bad("%d records consumed within %d offsets", n, advanced)
	}
	if len(errs) == 0 && c.Position().Equal(prev.Position()) {
		return SameState(prev, c)
	}
	return join(errs...)
}

// sameSubject reports how the cuts are about different things, or nil.
func (c *Cut) sameSubject(prev *Cut) error {
	if c.Pipeline != prev.Pipeline || c.Task != prev.Task || c.Fingerprint != prev.Fingerprint {
		return fmt.Errorf("state of %s/%d fingerprint %s, cut of %s/%d fingerprint %s",
			prev.Pipeline, prev.Task, prev.Fingerprint, c.Pipeline, c.Task, c.Fingerprint)
	}
	if c.Life != prev.Life {
		return fmt.Errorf("state of the life that began with decision %d, cut of that of %d", prev.Life, c.Life)
	}
	if len(c.Sources) != len(prev.Sources) {
		return fmt.Errorf("state over %d sources, cut over %d", len(prev.Sources), len(c.Sources))
	}
	for i := range c.Sources {
		was, is := &prev.Sources[i], &c.Sources[i]
		if is.Topic != was.Topic || is.TopicID != was.TopicID || is.Partition != was.Partition {
			return fmt.Errorf("state over %q (id %s, partition %d), cut over %q (id %s, partition %d)",
				was.Topic, was.TopicID, was.Partition, is.Topic, is.TopicID, is.Partition)
		}
	}
	if !slices.EqualFunc(c.Counters.Rules, prev.Counters.Rules, func(a, b RuleCounter) bool { return a.Name == b.Name }) {
		return fmt.Errorf("state of %d rules, cut of %d, or under other names", len(prev.Counters.Rules), len(c.Counters.Rules))
	}
	if len(c.Counters.Outputs) != len(prev.Counters.Outputs) {
		return fmt.Errorf("state of %d outputs, cut of %d", len(prev.Counters.Outputs), len(c.Counters.Outputs))
	}
	for i := range c.Counters.Outputs {
		if c.Counters.Outputs[i].Name != prev.Counters.Outputs[i].Name {
			return fmt.Errorf("state of output %q, cut of %q", prev.Counters.Outputs[i].Name, c.Counters.Outputs[i].Name)
		}
	}
	return nil
}

// SameState reports the first difference between two cuts of which the same
// position must mean the same state, or nil (the same cut
// means the same state and the same counters). What depends on when and where
// one looked takes no part: Bound, LastRecordAt, LeaderEpoch, Partitions.
func SameState(a, b *Cut) error {
	if err := b.sameSubject(a); err != nil {
		return err
	}
	if p, q := a.Position(), b.Position(); !p.Equal(q) {
		return fmt.Errorf("cuts differ: next %v journal %d, and next %v journal %d", p.Next, p.Journal, q.Next, q.Journal)
	}
	for i := range a.Sources {
		s, t := &a.Sources[i], &b.Sources[i]
		if s.Reached != t.Reached || !bytes.Equal(compact(s.Watermark), compact(t.Watermark)) {
			return fmt.Errorf("same cut, different watermarks of %q: %d %s and %d %s",
				s.Topic, s.Reached, s.Watermark, t.Reached, t.Watermark)
		}
	}
	was, is := a.Counters.named(), b.Counters.named()
	for i := range is {
		if is[i].value != was[i].value {
			return fmt.Errorf("same cut, different counters: %s is %d and %d", is[i].name, was[i].value, is[i].value)
		}
	}
	return nil
}

// compact removes insignificant space; what is no JSON stays as it is.
func compact(j json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, j); err != nil {
		return j
	}
	return b.Bytes()
}

// encode returns the cut's bytes: JSON without insignificant space.
func (c *Cut) encode() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if len(data) > cutBytesMax {
		return nil, fmt.Errorf("cut of %d bytes: at most %d", len(data), cutBytesMax)
	}
	return data, nil
}

// decodeCut reads what encode wrote. Errors are the bytes' fault, except
// ErrNewerVersion; a cut that parses but does not hold is returned with its.
func decodeCut(data []byte) (*Cut, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("cut: %w", err)
	}
	if head.Version > CutVersion {
		return nil, fmt.Errorf("cut version %d, this release reads %d: %w", head.Version, CutVersion, ErrNewerVersion)
	}
	c := new(Cut)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("cut: %w", err)
	}
	return c, c.Validate()
}

package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// ReasonKeyTooLong is the reason of a *schema.RecordError for an event whose group key has more than window.KeyMax
// bytes. Like an event on which an expression fails, it has its place in the raw lake.
const ReasonKeyTooLong = "group_key_too_long"

// ReasonWindowOutOfRange is the reason for an event one of whose windows reaches out of the years 1 to 9999, in which the
// lake files results by the start of their window.
const ReasonWindowOutOfRange = "window_out_of_range"

// Elements is how many elements the decoded event has: 1, unless its source unnests an array.
func (e *Eval) Elements() int { return e.Event.Elements }

// Identity is what makes the decoded event a duplicate of another of its topic; false if its source declares no event id.
func (e *Eval) Identity() ([16]byte, bool) {
	if !e.plan.program.sources[e.source].reader.HasID() {
		return [16]byte{}, false
	}
	return e.identity(), true
}

// identity is the hash of all that is read of the decoded event.
func (e *Eval) identity() [16]byte {
	if !e.hasID {
		e.id, e.hasID = e.plan.program.sources[e.source].reader.Identity(&e.Event), true
	}
	return e.id
}

// Element evaluates rules, lets, keys and arguments of element i of the decoded event, from 0 to Elements()-1, into
// Input. Input is of no meaning unless the Fate is Keep and there is no error.
//
// It fails with a *schema.RecordError: with a Fate of Quarantined if a rule has decided so (the reason is ReasonRule and
// the rule's name), and with one of Keep if what the outputs need can't be computed.
func (e *Eval) Element(i int) (Fate, error) {
	if i < 0 || i >= e.Event.Elements {
		return Fate{Rule: -1}, fmt.Errorf("element %d of an event of %d", i, e.Event.Elements)
	}
	prog := e.plan.program
	s := &prog.sources[e.source]
	if s.unnest {
		e.Event.Load(i)
	}
	if len(prog.sources) == 1 {
		e.row = e.Event.Row
	} else {
		copy(e.row[s.from:], e.Event.Row)
	}
	e.Input.Time, e.Input.HasID, e.Input.ID = e.Event.Time, s.reader.HasID(), [16]byte{}
	fate, err := e.evaluate()
	if err == nil && fate.Outcome == Keep && (e.Input.HasID || prog.ordered) {
		e.Input.ID = e.elementID(s, i)
	}
	return fate, err
}

// elementID is the identity of an element among all that enters the windows: an event's own, unless it has several
// elements, or events of other topics enter the same windows (FORMAT.md). Elements of one event are ordered as in its array,
// which decides which of them is first or last.
func (e *Eval) elementID(s *sourceProgram, element int) [16]byte {
	id := e.identity()
	if e.plan.Shape == CoGroup {
		var buf [20]byte
		copy(buf[:], id[:])
		binary.BigEndian.PutUint32(buf[16:], uint32(e.source))
		sum := sha256.Sum256(buf[:])
		id = [16]byte(sum[:16])
	}
	if s.unnest {
		binary.BigEndian.PutUint16(id[14:], uint16(element)) // a record has at most schema.MaxElements
	}
	return id
}

// value evaluates an expression over the row. skip says that it reads no field of the event in hand, and comes to nothing
// without.
func (e *Eval) value(x *evalExpr) (v schema.Value, skip bool, err error) {
	if e.plan.Shape == CoGroup && x.reads != 0 && x.reads&(1<<e.source) == 0 {
		return x.blank, x.failed || x.blank.IsNull(), nil
	}
	v, err = x.eval.Eval(e.row)
	return v, false, err
}

// evaluate fills Input, but for its time and identity, from the row.
func (e *Eval) evaluate() (Fate, error) {
	if e.broken != nil {
		return Fate{Rule: -1}, e.broken
	}
	fate, err := e.decide()
	if err != nil || fate.Outcome != Keep {
		return fate, err
	}
	for i := range e.exprs {
		v, skip, err := e.value(&e.exprs[i])
		if err != nil {
			return fate, err
		}
		if skip {
			v = schema.Value{}
		}
		e.values[i] = v
	}
	if err := e.placed(); err != nil {
		return fate, err
	}
	for i := range e.plan.program.outputs {
		o := &e.plan.program.outputs[i]
		for j, s := range o.args {
			e.Input.Args[i][j] = e.at(s)
		}
		if err := e.key(i, o); err != nil {
			return fate, err
		}
	}
	return fate, nil
}

// placed checks that all windows of the event lie within the years 1 to 9999.
func (e *Eval) placed() error {
	t := e.Input.Time
	if t >= window.TimeMin+e.reach && t <= window.TimeMax-e.reach {
		return nil
	}
	for i := range e.plan.Outputs {
		w := &e.plan.Outputs[i]
		e.spans = w.Assign(t, e.spans[:0])
		for _, s := range e.spans {
			if s.Start < window.TimeMin || s.End-1 > window.TimeMax {
				return &schema.RecordError{Reason: ReasonWindowOutOfRange,
					Err: fmt.Errorf("its window of output %s reaches out of the years 1 to 9999", w.Name)}
			}
		}
	}
	return nil
}

// key makes the group key of output i.
func (e *Eval) key(i int, o *outputProgram) error {
	if o.sameKey >= 0 {
		e.Input.Keys[i] = e.Input.Keys[o.sameKey]
		return nil
	}
	e.group = e.group[:0]
	for _, s := range o.group {
		e.group = append(e.group, e.at(s))
	}
	e.keys[i] = e.plan.Codecs[i].AppendGroupKey(e.keys[i][:0], e.group)
	e.Input.Keys[i] = e.keys[i]
	if n := len(e.keys[i]); n > window.KeyMax {
		return &schema.RecordError{Reason: ReasonKeyTooLong,
			Err: fmt.Errorf("the group key of output %s has %d bytes, more than %d", e.plan.Outputs[i].Name, n, window.KeyMax)}
	}
	return nil
}

func (e *Eval) at(s slot) schema.Value {
	if s.expr {
		return e.values[s.index]
	}
	return e.row[s.index]
}

package flow

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// seen is what Look has found.
type seen struct {
	input  int
	value  []byte
	err    error  // *schema.RecordError: the record is invalid
	ready  bool   // to be taken
	letter letter // of the repartition topic
}

// KeyError says that a record isn't where its source's key puts it.
type KeyError struct {
	Want int32 // the partition it belongs to; -1: a field of the key is null
	Have int32
}

// Error says which partition the key wants.
func (e *KeyError) Error() string {
	if e.Want < 0 {
		return "a field of the source's key is null: nothing says where the event belongs"
	}
	return fmt.Sprintf("by the source's key this event belongs to partition %d, not %d", e.Want, e.Have)
}

// Look reads a record's value (nil: it has none) and changes nothing. An invalid record is no error: Bad tells, and Take
// accounts for it. Errors are *schema.UnknownSchemaError, *KeyError, and of a repartition record a *LetterError.
func (f *Flow) Look(input int, at Place, value []byte) error {
	f.seen = seen{input: input, value: value, letter: letter{parts: f.seen.letter.parts[:0]}}
	if f.repartition(input) {
		err := f.open(value)
		f.seen.ready = err == nil
		return err
	}
	if err := f.decoded(f.eval.Decode(input, value)); err != nil || f.seen.err != nil {
		return err
	}
	if len(f.plan.Sources[input].Spec.Key) > 0 {
		if want := f.eval.PartitionOf(f.o.Widths[input]); want != at.Partition && !f.tooLate(input) {
			f.seen.ready = false
			return &KeyError{Want: want, Have: at.Partition}
		}
	}
	return nil
}

// tooLate says whether the event that was looked at is late for whatever windows it could be in: then it makes no difference
// which task says so. So are those that were produced before their topic grew (journal.Change).
func (f *Flow) tooLate(input int) bool {
	in := &f.inputs[input]
	mark := in.wm.Value(in.opts)
	return mark != window.NoWatermark && f.eval.Event.Time <= mark && f.closes(f.eval.Event.Time) <= mark
}

// decoded keeps what decoding came to: an invalid record is one to be taken, too.
func (f *Flow) decoded(err error) error {
	var bad *schema.RecordError
	if errors.As(err, &bad) {
		f.seen.err, err = err, nil
	}
	f.seen.ready = err == nil
	return err
}

// open reads a letter, as far as to the event in it: that was valid at its source.
func (f *Flow) open(value []byte) error {
	l := &f.seen.letter
	if err := l.decode(value); err != nil {
		return err
	}
	if int(l.partition) >= len(f.marks) {
		return &LetterError{What: fmt.Sprintf("it comes from source partition %d of %d", l.partition, len(f.marks))}
	}
	if l.marker {
		return nil
	}
	if l.mark < f.marks[l.partition] {
		return &LetterError{What: fmt.Sprintf("the watermark of source partition %d falls from %d to %d", l.partition, f.marks[l.partition], l.mark)}
	}
	if err := f.eval.Decode(0, l.value); err != nil {
		return &LetterError{What: fmt.Sprintf("it holds no event: %v", err)}
	}
	for _, p := range l.parts {
		if p.element >= f.eval.Elements() || bits.Len64(p.outputs) > len(f.plan.Outputs) {
			return &LetterError{What: fmt.Sprintf("it is about element %d of %d, for outputs %b of %d", p.element, f.eval.Elements(), p.outputs, len(f.plan.Outputs))}
		}
	}
	return nil
}

// Bad is why the record that was looked at is invalid; nil if it isn't.
func (f *Flow) Bad() error { return f.seen.err }

// Event is the event that was looked at, valid until the next Look or Take; ok is false for a record without a valid
// time, whose place is the quarantine.
func (f *Flow) Event() (ev *schema.Event, ok bool) { return &f.eval.Event, f.eval.Landable() }

package pipeline

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// ReasonKeyTooLong is the reason of a *schema.RecordError for an event whose group key has more than window.KeyMax
// bytes. Like an event on which an expression fails, it has its place in the raw lake.
const ReasonKeyTooLong = "group_key_too_long"

// ReasonWindowOutOfRange is the reason for an event one of whose windows reaches out of the years 1 to 9999, in which the
// lake files results by the start of their window.
const ReasonWindowOutOfRange = "window_out_of_range"

// program says where an Eval finds the parts of a window.Input.
type program struct {
	exprs   []*expr.Program
	outputs []outputProgram
	key     []int // source.key in the row
}

type outputProgram struct {
	group []slot
	args  []slot
	// sameKey is the number of an earlier output with the same group, or -1.
	sameKey int
}

// slot is a field's place in the row, or an expression's number.
type slot struct {
	index int
	expr  bool
}

// program binds operands to the decoder's rows. nil goes with a fault.
func (b *builder) program(dec *schema.Decoder) *program {
	prog := &program{}
	number := make(map[*expr.Program]int)
	bind := func(programs []*expr.Program) []slot {
		slots := make([]slot, len(programs))
		for i, p := range programs {
			if p.Plain() {
				slots[i] = slot{index: dec.Index(p.Fields()[0])}
				continue
			}
			n, ok := number[p]
			if !ok {
				n = len(prog.exprs)
				number[p] = n
				prog.exprs = append(prog.exprs, p)
			}
			slots[i] = slot{index: n, expr: true}
		}
		return slots
	}
	for i, out := range b.outputs {
		o := outputProgram{group: bind(out.group), args: bind(out.args), sameKey: -1}
		for j := range prog.outputs {
			if o.sameKey < 0 && slices.Equal(prog.outputs[j].group, o.group) {
				o.sameKey = j
			}
		}
		prog.outputs = append(prog.outputs, o)
		for _, p := range prog.exprs {
			if _, err := p.NewEval(dec.Index); err != nil {
				b.fs.add(element("outputs", i), complain("write the expression in another way", "the expression %q can't be bound: %v", p.Source(), err))
				return nil
			}
		}
	}
	for _, key := range b.p.Source.Key {
		prog.key = append(prog.key, dec.Index(key))
	}
	return prog
}

// Eval applies a plan to one record after another. It is reused without allocation and belongs to one goroutine.
type Eval struct {
	// Event is the decoded event; it and Input alias the record value.
	Event schema.Event
	// Input is what the windows take: time, identity, and per output the group key and the aggregates' arguments.
	Input window.Input

	plan     *Plan
	exprs    []*expr.Eval
	values   []schema.Value // results of exprs for the last record
	group    []schema.Value // of one output at a time
	keys     [][]byte       // buffers of Input.Keys; outputs with the same group share one
	keyText  []byte         // of PartitionOf
	landable bool
	broken   error // an expression could not be bound, which building the plan has tried
}

func newEval(p *Plan) *Eval {
	e := &Eval{plan: p, values: make([]schema.Value, len(p.program.exprs))}
	for _, prog := range p.program.exprs {
		ev, err := prog.NewEval(p.Decoder.Index)
		if err != nil {
			e.broken = fmt.Errorf("bind expression %q: %w", prog.Source(), err)
		}
		e.exprs = append(e.exprs, ev)
	}
	n := len(p.program.outputs)
	e.keys = make([][]byte, n)
	e.Input.Keys = make([][]byte, n)
	e.Input.Args = make([][]schema.Value, n)
	for i, o := range p.program.outputs {
		e.Input.Args[i] = make([]schema.Value, len(o.args))
	}
	return e
}

// Record evaluates a Kafka record's value (nil: the record has none). It fails with a *schema.RecordError or a
// *schema.UnknownSchemaError. Where Landable is true nevertheless, the Event is filled and only an expression
// (schema.ReasonExpression) or the key (ReasonKeyTooLong) was wrong.
func (e *Eval) Record(value []byte) error {
	if err := e.Decode(0, value); err != nil {
		return err
	}
	_, err := e.Element(0)
	return err
}

// Payload is Record for a datum whose wire header has been taken off, as the lake stores it.
func (e *Eval) Payload(id uint32, payload []byte) error {
	if err := e.DecodePayload(0, id, payload); err != nil {
		return err
	}
	_, err := e.Element(0)
	return err
}

// Landable reports whether the last record has an event time and so a place in the raw lake; otherwise it goes to
// quarantine.
func (e *Eval) Landable() bool { return e.landable }

// input fills Input from Event.
func (e *Eval) input() error {
	if e.broken != nil {
		return e.broken
	}
	row := e.Event.Row
	for i, ev := range e.exprs {
		v, err := ev.Eval(row)
		if err != nil {
			return err
		}
		e.values[i] = v
	}
	e.Input.Time = e.Event.Time
	if e.Input.HasID = e.plan.Decoder.HasID(); e.Input.HasID {
		e.Input.ID = e.plan.Decoder.Identity(&e.Event)
	}
	for i := range e.plan.program.outputs {
		if w := &e.plan.Outputs[i]; w.Start(e.Event.Time) < window.TimeMin || w.Start(e.Event.Time)+w.Size-1 > window.TimeMax {
			return &schema.RecordError{Reason: ReasonWindowOutOfRange,
				Err: fmt.Errorf("its window of output %s reaches out of the years 1 to 9999", w.Name)}
		}
		o := &e.plan.program.outputs[i]
		for j, s := range o.args {
			e.Input.Args[i][j] = e.at(s)
		}
		if o.sameKey >= 0 {
			e.Input.Keys[i] = e.Input.Keys[o.sameKey]
			continue
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
	}
	return nil
}

func (e *Eval) at(s slot) schema.Value {
	if s.expr {
		return e.values[s.index]
	}
	return e.Event.Row[s.index]
}

// PartitionOf is the partition, of n, in which source.key wants the last record if it was Landable: that of the text
// of its key fields, strings as they are, numbers in decimal, several joined by '|', under Kafka's default
// partitioner. It is -1 if a key field is null, for which no partition is right.
func (e *Eval) PartitionOf(n int32) int32 {
	e.keyText = e.keyText[:0]
	for i, index := range e.plan.program.key {
		if i > 0 {
			e.keyText = append(e.keyText, '|')
		}
		switch v := e.Event.Row[index]; v.Kind {
		case schema.KindInt:
			e.keyText = strconv.AppendInt(e.keyText, v.Int(), 10)
		case schema.KindString:
			e.keyText = append(e.keyText, v.Bytes...)
		default:
			return -1
		}
	}
	return curated.Partition(e.keyText, n)
}

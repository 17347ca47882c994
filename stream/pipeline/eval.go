package pipeline

import (
	"fmt"
	"strconv"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Eval applies a plan to one record after another. It is reused without allocation, but for what expressions and bad
// records take, and belongs to one goroutine.
//
// A record is first decoded (Decode, DecodePayload). Of a single source and of a co-group each of its elements is then
// made an Input (Element). Of a join the record's Row is kept under its JoinKey until it is Joined with another's.
type Eval struct {
	// Event is the decoded event; it and Input alias the record value.
	Event schema.Event
	// Input is what the windows take: time, identity, and per output the group key and the aggregates' arguments. Its
	// Outputs are left alone: every event is for all outputs.
	Input window.Input

	plan   *Plan
	source int            // of the decoded event
	row    []schema.Value // what expressions read: the event's, or that of several sources
	exprs  []evalExpr
	rules  []evalExpr
	values []schema.Value // results of exprs for the row

	group    []schema.Value // of one output at a time
	keys     [][]byte       // buffers of Input.Keys; outputs with the same group share one
	keyText  []byte         // of PartitionOf
	spans    []window.Span
	reach    int64 // event times this far from the ends of time need no look at their windows
	id       [16]byte
	hasID    bool // id is that of the decoded event
	landable bool
	broken   error // an expression could not be bound, which building the plan has tried
}

// evalExpr is an expression bound to the rows of this Eval.
type evalExpr struct {
	eval  *expr.Eval
	reads uint64
	// blank is what the expression comes to where all that it reads is null: in a co-group, for events of sources that
	// it doesn't read. failed says that it comes to nothing.
	blank  schema.Value
	failed bool
}

func newEval(p *Plan) *Eval {
	prog := p.program
	e := &Eval{plan: p, values: make([]schema.Value, len(prog.exprs))}
	if len(prog.sources) > 1 {
		e.row = make([]schema.Value, prog.width)
	}
	for i := range prog.exprs {
		e.exprs = append(e.exprs, e.bindExpr(&prog.exprs[i]))
	}
	for i := range prog.rules {
		e.rules = append(e.rules, e.bindExpr(&prog.rules[i].boundExpr))
	}
	n := len(prog.outputs)
	e.keys = make([][]byte, n)
	e.Input.Keys = make([][]byte, n)
	e.Input.Args = make([][]schema.Value, n)
	for i, o := range prog.outputs {
		e.Input.Args[i] = make([]schema.Value, len(o.args))
		e.reach = max(e.reach, 2*p.Outputs[i].Size)
	}
	return e
}

func (e *Eval) bindExpr(b *boundExpr) evalExpr {
	ev, err := b.program.NewEval(e.plan.program.place)
	if err != nil {
		e.broken = fmt.Errorf("bind expression %q: %w", b.program.Source(), err)
		return evalExpr{}
	}
	bound := evalExpr{eval: ev, reads: b.reads}
	if e.plan.Shape == CoGroup {
		bound.blank, err = ev.Eval(e.row) // which is all null yet
		bound.failed = err != nil
		bound.blank.Bytes = append([]byte(nil), bound.blank.Bytes...)
	}
	return bound
}

// Decode reads the value of a Kafka record (nil: it has none) of a source into Event. It fails with a
// *schema.RecordError or a *schema.UnknownSchemaError. Nothing is evaluated yet: see Element.
func (e *Eval) Decode(source int, value []byte) error {
	e.begin(source)
	return e.decoded(e.plan.program.sources[source].reader.Decode(value, &e.Event))
}

// DecodePayload is Decode for a datum whose wire header has been taken off, as the lake stores it.
func (e *Eval) DecodePayload(source int, id uint32, payload []byte) error {
	e.begin(source)
	return e.decoded(e.plan.program.sources[source].reader.DecodePayload(id, payload, &e.Event))
}

// begin forgets the last event.
func (e *Eval) begin(source int) {
	if e.plan.Shape == CoGroup && source != e.source {
		s := &e.plan.program.sources[e.source]
		clear(e.row[s.from : s.from+len(s.fields)])
	}
	e.source, e.hasID, e.landable = source, false, false
}

func (e *Eval) decoded(err error) error {
	e.landable = err == nil || schema.Landable(err)
	return err
}

// Landable reports whether the last record has an event time and so a place in the raw lake; otherwise it goes to
// quarantine.
func (e *Eval) Landable() bool { return e.landable }

// PartitionOf is the partition, of n, in which source.key wants the decoded event: that of the text of its key fields,
// strings as they are, numbers in decimal, several joined by '|', under Kafka's default partitioner. It is -1 if a key
// field is null or there is no key, for which no partition is right. An event that was only Landable has none.
func (e *Eval) PartitionOf(n int32) int32 {
	key := e.plan.program.sources[e.source].key
	if len(key) == 0 || len(e.Event.Row) == 0 {
		return -1
	}
	e.keyText = e.keyText[:0]
	for i, index := range key {
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

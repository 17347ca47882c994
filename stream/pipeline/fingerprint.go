package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
)

// Versions of what an event or a pipeline means. A change of the engine that changes any result, or who is late, or
// what is a duplicate, raises the version of its part; then every fingerprint changes, and with it the owner of every
// window that is open.
const (
	semanticsEvent      = 1 // identity, event time, keys: schema, curated
	semanticsWindow     = 1 // assignment, lateness, watermark: stream/window
	semanticsAggregates = 1 // the aggregates' bits: stream/window
)

// decisive is what decides a pipeline's results, in the form in which it is hashed. The order of the fields is part
// of it, and a field that is added must be left out when it is empty, lest all fingerprints change.
type decisive struct {
	Semantics   [3]int           `json:"semantics"`
	Dialect     string           `json:"dialect,omitempty"` // of expressions, if any is evaluated
	Topic       string           `json:"topic"`
	EventID     []string         `json:"event_id"` // sorted: their order makes no difference
	EventTime   string           `json:"event_time"`
	Key         []string         `json:"key"`
	Partitioner string           `json:"partitioner"`
	Watermark   [3]int64         `json:"watermark"` // ms out of order, ms of future, events to confirm
	Fields      []decisiveField  `json:"fields"`
	Lets        []decisiveLet    `json:"lets"`    // those that are used, sorted
	Outputs     []decisiveOutput `json:"outputs"` // in order: state keys hold an output's number
}

type decisiveField struct {
	Path     string `json:"path"`
	Kind     string `json:"kind"`
	Nullable bool   `json:"nullable"`
	Logical  string `json:"logical"`
}

type decisiveLet struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

type decisiveOutput struct {
	Name       string         `json:"name"`
	GroupBy    []string       `json:"group_by"`
	Tumbling   int64          `json:"tumbling_ms"`
	Lateness   int64          `json:"lateness_ms"`
	Aggregates []decisiveCall `json:"aggregates"`
}

type decisiveCall struct {
	Name string `json:"name"`
	Func string `json:"func"`
	Arg  string `json:"arg"`
}

// fingerprint hashes what decides the results, and nothing else: 12 hexadecimal digits of SHA-256.
func (b *builder) fingerprint(plan *Plan) string {
	p := b.p
	d := decisive{
		Semantics: [3]int{semanticsEvent, semanticsWindow, semanticsAggregates},
		Topic:     p.Source.Topic, EventID: slices.Sorted(slices.Values(p.Source.EventID)), EventTime: p.Source.EventTime,
		Key: p.Source.Key, Partitioner: p.Source.Partitioner,
		Watermark: [3]int64{plan.WatermarkOptions.OutOfOrderness, plan.WatermarkOptions.MaxFuture, int64(plan.WatermarkOptions.Confirm)},
	}
	if len(plan.program.exprs) > 0 {
		d.Dialect = expr.Dialect
	}
	types := plan.Decoder.Types()
	for i, path := range plan.Decoder.Fields() {
		d.Fields = append(d.Fields, decisiveType(path, types[i]))
	}
	used := make(map[string]bool)
	for i, out := range b.outputs {
		o := decisiveOutput{Name: p.Outputs[i].Name, GroupBy: p.Outputs[i].GroupBy,
			Tumbling: plan.Outputs[i].Size, Lateness: plan.Outputs[i].Lateness}
		for j, c := range out.calls {
			o.Aggregates = append(o.Aggregates, decisiveCall{Name: out.aggs[j].Name, Func: c.fn.String(), Arg: c.arg})
			b.useLets(used, c.arg)
		}
		b.useLets(used, strings.Join(o.GroupBy, " "))
		d.Outputs = append(d.Outputs, o)
	}
	for _, l := range p.Let {
		if used[l.Name] {
			d.Lets = append(d.Lets, decisiveLet{Name: l.Name, Expr: strings.TrimSpace(l.Expr)})
		}
	}
	slices.SortFunc(d.Lets, func(a, b decisiveLet) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.Marshal(d)
	if err != nil {
		b.fs.add("", complain("report it: this should not happen", "write what decides the results: %v", err))
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// decisiveType is what results depend on in a field's type: not on whether an int has 32 or 64 bits, nor on which
// symbols an enum could have.
func decisiveType(path string, t schema.Type) decisiveField {
	return decisiveField{Path: path, Kind: t.Kind.String(), Nullable: t.Nullable, Logical: t.Logical}
}

// useLets marks the lets that an expression uses, directly or through others.
func (b *builder) useLets(used map[string]bool, text string) {
	for _, name := range namesIn(text) {
		for _, l := range b.p.Let {
			if l.Name == name && !used[name] {
				used[name] = true
				b.useLets(used, l.Expr)
			}
		}
	}
}

package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/window"
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

	Format    string           `json:"format,omitempty"` // empty for both forms of Avro
	Unnest    string           `json:"unnest,omitempty"`
	Sources   []decisiveSource `json:"sources,omitempty"` // if they have names; then what is above of a source is empty
	Join      *decisiveJoin    `json:"join,omitempty"`
	Rules     []decisiveRule   `json:"rules,omitempty"`     // in order, names included: counters go by them
	Functions []string         `json:"functions,omitempty"` // the program's own that are used, with their types, sorted
}

// decisiveSource is one of several sources.
type decisiveSource struct {
	Name        string          `json:"name"`
	Topic       string          `json:"topic"`
	Format      string          `json:"format,omitempty"`
	Unnest      string          `json:"unnest,omitempty"`
	EventID     []string        `json:"event_id"`
	EventTime   string          `json:"event_time"`
	Key         []string        `json:"key"`
	Partitioner string          `json:"partitioner"`
	Watermark   [3]int64        `json:"watermark"`
	Fields      []decisiveField `json:"fields"`
}

type decisiveJoin struct {
	Shape    string   `json:"shape"`
	Left     string   `json:"left"`
	Right    string   `json:"right"`
	OnLeft   []string `json:"on_left"`
	OnRight  []string `json:"on_right"`
	Lower    int64    `json:"lower_ms"`
	Upper    int64    `json:"upper_ms"`
	Lateness int64    `json:"lateness_ms"`
}

type decisiveRule struct {
	Name   string `json:"name"`
	Expect bool   `json:"expect"`
	Text   string `json:"text"`
	Then   string `json:"then"`
}

type decisiveField struct {
	Path     string `json:"path"`
	Kind     string `json:"kind"`
	Nullable bool   `json:"nullable"`
	Logical  string `json:"logical"`
	// Precision and Scale are those of a decimal.
	Precision int `json:"precision,omitempty"`
	Scale     int `json:"scale,omitempty"`
}

type decisiveLet struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

type decisiveOutput struct {
	Name       string         `json:"name"`
	GroupBy    []string       `json:"group_by"`
	Tumbling   int64          `json:"tumbling_ms"` // the size of windows of any form
	Lateness   int64          `json:"lateness_ms"`
	Aggregates []decisiveCall `json:"aggregates"`

	Every      int64         `json:"every_ms,omitempty"`
	Gap        int64         `json:"gap_ms,omitempty"`
	Zone       string        `json:"zone,omitempty"` // hash of its transitions
	GroupExprs []decisiveLet `json:"group_exprs,omitempty"`
}

type decisiveCall struct {
	Name string `json:"name"`
	Func string `json:"func"`
	Arg  string `json:"arg"`
	// Params and Cell are those of an aggregate that isn't kept in words.
	Params string `json:"params,omitempty"`
	Cell   string `json:"cell,omitempty"`
}

// fingerprint hashes what decides the results, and nothing else: 12 hexadecimal digits of SHA-256.
func (b *builder) fingerprint(plan *Plan) string {
	d := decisive{Semantics: [3]int{semanticsEvent, semanticsWindow, semanticsAggregates}}
	b.decisiveSources(&d, plan)
	b.decisiveJoin(&d)
	if len(plan.program.exprs) > 0 || slices.ContainsFunc(b.rules, func(r builtRule) bool { return !r.program.Plain() }) {
		d.Dialect = expr.Dialect
	}
	used := make(map[string]bool) // names in expressions
	for _, r := range b.rules {
		d.Rules = append(d.Rules, decisiveRule{Name: r.name, Expect: r.expect, Text: r.text, Then: r.then})
		b.use(used, r.text)
	}
	for i := range b.outputs {
		d.Outputs = append(d.Outputs, b.decisiveOutput(used, i, &plan.Outputs[i]))
	}
	for _, l := range b.p.Let {
		if used[l.Name] {
			d.Lets = append(d.Lets, decisiveLet{Name: l.Name, Expr: strings.TrimSpace(l.Expr)})
		}
	}
	slices.SortFunc(d.Lets, func(a, b decisiveLet) int { return strings.Compare(a.Name, b.Name) })
	for _, name := range sortedKeys(b.env.Functions) {
		if used[name] {
			d.Functions = append(d.Functions, signature(name, b.env.Functions[name]))
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		b.fs.add("", complain("report it: this should not happen", "write what decides the results: %v", err))
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

func (b *builder) decisiveSources(d *decisive, plan *Plan) {
	for i := range plan.Sources {
		s, spec := &plan.Sources[i], plan.Sources[i].Spec
		one := decisiveSource{Name: s.Name, Topic: s.Topic, Unnest: s.Source.Unnest,
			EventID: slices.Sorted(slices.Values(spec.EventID)), EventTime: spec.EventTime, Key: spec.Key, Partitioner: spec.Partitioner,
			Watermark: [3]int64{s.Watermark.OutOfOrderness, s.Watermark.MaxFuture, int64(s.Watermark.Confirm)}}
		if s.Source.Format != FormatAvro && s.Source.Format != FormatAvroRaw {
			one.Format = s.Source.Format
		}
		types := s.Reader.Types()
		for n, path := range s.Reader.Fields() {
			one.Fields = append(one.Fields, decisiveType(path, types[n]))
		}
		if s.Name == "" {
			d.Topic, d.EventID, d.EventTime, d.Key, d.Partitioner = one.Topic, one.EventID, one.EventTime, one.Key, one.Partitioner
			d.Watermark, d.Fields, d.Format, d.Unnest = one.Watermark, one.Fields, one.Format, one.Unnest
			return
		}
		d.Sources = append(d.Sources, one)
	}
}

func (b *builder) decisiveJoin(d *decisive) {
	if b.shape != IntervalJoin && b.shape != Enrich {
		return
	}
	left, right, on := b.sources[b.join.Left].name, b.sources[b.join.Right].name, b.p.on()
	d.Join = &decisiveJoin{Shape: b.shape.String(), Left: left, Right: right, OnLeft: on[left], OnRight: on[right],
		Lower: b.join.Lower, Upper: b.join.Upper, Lateness: b.join.Lateness}
}

func (b *builder) decisiveOutput(used map[string]bool, i int, w *window.Output) decisiveOutput {
	spec, out := &b.p.Outputs[i], &b.outputs[i]
	o := decisiveOutput{Name: spec.Name, GroupBy: spec.GroupBy, Tumbling: w.Size, Lateness: w.Lateness, Every: w.Every, Gap: w.Gap}
	if w.Every == w.Size {
		o.Every = 0 // tumbling
	}
	if w.Zone != nil {
		hash := w.Zone.Hash()
		o.Zone = hex.EncodeToString(hash[:])
	}
	for j, c := range out.calls {
		call := decisiveCall{Name: out.aggs[j].Name, Func: c.name, Arg: c.arg, Params: c.parametersText()}
		if custom := out.aggs[j].Custom; custom != nil {
			call.Cell = custom.Cell()
		}
		o.Aggregates = append(o.Aggregates, call)
		b.use(used, c.arg)
	}
	for _, name := range spec.GroupBy {
		text, named := spec.GroupExprs[name]
		if named {
			o.GroupExprs = append(o.GroupExprs, decisiveLet{Name: name, Expr: strings.TrimSpace(text)})
			b.use(used, text)
		} else {
			b.use(used, name)
		}
	}
	return o
}

// signature is a function's name and types.
func signature(name string, f expr.Function) string {
	args := make([]string, len(f.Args))
	for i, t := range f.Args {
		args[i] = t.String()
	}
	return name + "(" + strings.Join(args, ", ") + ") " + f.Result.String()
}

// decisiveType is what results depend on in a field's type: not on whether an int has 32 or 64 bits, nor on which
// symbols an enum could have.
func decisiveType(path string, t schema.Type) decisiveField {
	return decisiveField{Path: path, Kind: t.Kind.String(), Nullable: t.Nullable, Logical: t.Logical, Precision: t.Precision, Scale: t.Scale}
}

// use marks the names that an expression mentions, directly or through lets.
func (b *builder) use(used map[string]bool, text string) {
	for _, name := range namesIn(text) {
		if used[name] {
			continue
		}
		used[name] = true
		for _, l := range b.p.Let {
			if l.Name == name {
				b.use(used, l.Expr)
			}
		}
	}
}

package streamtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The model is what a generated pipeline means, in the words of the tests: the generator makes it and writes it down as a
// pipeline file; the oracle reads it, never the file nor what the file compiles to.

// metaField is a field of a source, by its path; of elements too: "items.sku".
type metaField struct {
	path     string
	typ      string // long, int, double, float, string, boolean, enum, decimal, bytes, millis, micros
	nullable bool
}

// kind is how expressions see a type.
func (f *metaField) kind() string {
	switch f.typ {
	case "long", "int":
		return "int"
	case "double", "float":
		return "double"
	case "boolean":
		return "bool"
	case "millis", "micros":
		return "time"
	}
	return f.typ
}

// metaSource is a topic.
type metaSource struct {
	name    string // "" for the only one
	format  string // avro-raw, avro or json
	fields  []metaField
	time    string // field
	eventID []string
	key     []string
	unnest  string // "", "items" (records) or "codes" (longs)

	outOfOrder, maxFuture int64
	confirm               int
}

func (s *metaSource) field(path string) *metaField {
	for i := range s.fields {
		if s.fields[i].path == path {
			return &s.fields[i]
		}
	}
	return nil
}

// ofElement says whether the field is one of the unnested elements'.
func (s *metaSource) ofElement(path string) bool {
	return s.unnest != "" && (path == s.unnest || strings.HasPrefix(path, s.unnest+"."))
}

// metaNamed is a named expression.
type metaNamed struct {
	name string
	expr *metaExpr
}

// metaRule is a rule: when/then filter, or expect/else.
type metaRule struct {
	name   string
	expect bool
	then   string // filter, quarantine, count
	cond   *metaExpr
}

// metaAgg is an aggregate.
type metaAgg struct {
	name, fn string
	arg      *metaExpr // nil: count()
	typ      string    // of the argument: a field's type, or an expression's kind
	q        float64   // quantile
	k        int       // top_k, top_values; a limit of distinct
	bounds   []float64
}

// metaOutput is an output.
type metaOutput struct {
	name     string
	group    []metaNamed // the name is "" for a plain field or let
	size     int64       // tumbling, hopping; of sessions: within
	every    int64       // hopping
	gap      int64       // sessions
	zone     string
	lateness int64
	updates  bool
	off      bool
	aggs     []metaAgg
}

// The shapes of metaPipeline.
const (
	shapeSingle = iota
	shapeCoGroup
	shapeInterval
	shapeEnrich
)

// metaPipeline is the whole.
type metaPipeline struct {
	unit    int64 // ms: the scale of all times
	base    int64 // ms: where its logs begin
	shape   int
	width   int32 // partitions
	sources []metaSource
	lets    []metaNamed
	rules   []metaRule
	outputs []metaOutput

	lower, upper, lateness int64 // of a join
}

// rekeyed says whether events have to go through a repartition topic: some output's group lacks a field of the key.
func (p *metaPipeline) rekeyed() bool {
	if p.shape != shapeSingle {
		return false
	}
	s := &p.sources[0]
	if len(s.key) == 0 {
		return true
	}
	for i := range p.outputs {
		for _, key := range s.key {
			found := false
			for _, g := range p.outputs[i].group {
				e := g.expr
				for e.op == "let" {
					e = e.kids[0]
				}
				found = found || e.op == "field" && e.name == key
			}
			if !found {
				return true
			}
		}
	}
	return false
}

// joins says whether the outputs see pairs.
func (p *metaPipeline) joins() bool { return p.shape == shapeInterval || p.shape == shapeEnrich }

// duration writes ms as the pipeline file wants them.
func duration(ms int64) string {
	if ms == 0 {
		return "0s"
	}
	var b strings.Builder
	if ms < 0 {
		b.WriteByte('-')
		ms = -ms
	}
	for _, u := range []struct {
		ms   int64
		name string
	}{{86_400_000, "d"}, {3_600_000, "h"}, {60_000, "m"}, {1000, "s"}, {1, "ms"}} {
		if n := ms / u.ms; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			ms -= n * u.ms
		}
	}
	return b.String()
}

// rng is a source of chance that is a function of its seeds.
type rng struct{ *rand.Rand }

func newRng(seed, stream uint64) *rng { return &rng{rand.New(rand.NewPCG(seed, stream))} }

// one in n.
func (r *rng) one(n int) bool { return r.IntN(n) == 0 }

func pickOf[T any](r *rng, of ...T) T { return of[r.IntN(len(of))] }

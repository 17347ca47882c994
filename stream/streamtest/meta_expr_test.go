package streamtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// metaExpr is an expression of a pipeline, as a tree: text writes it for the pipeline file, eval (model_eval_test.go) says
// what it means.
type metaExpr struct {
	op   string // field, lit, let, + - * / %, neg, < <= > >=, == !=, isnull, notnull, && || !, ?:, in, size, startsWith, ..., int, double, string, getHours, ...
	kind string // bool, int, double, string, time; or the type of a field that is no operand
	name string // of a field or let
	lit  any    // of a literal: bool, int64, float64, string; nil is null
	list []any  // of in
	kids []*metaExpr
}

func (e *metaExpr) text() string {
	switch e.op {
	case "field", "let":
		return e.name
	case "lit":
		return literal(e.lit)
	case "neg":
		return "(-" + e.kids[0].text() + ")"
	case "!":
		if e.kids[0].op == "!" { // !!x is x to CEL, where x is null too
			return "!(" + e.kids[0].text() + ")"
		}
		return "!" + e.kids[0].text()
	case "isnull":
		return "(" + e.kids[0].text() + " == null)"
	case "notnull":
		return "(" + e.kids[0].text() + " != null)"
	case "?:":
		cond := e.kids[0].text()
		if e.kids[0].op == "notnull" {
			cond = e.kids[0].kids[0].text() + " != null"
		}
		return fmt.Sprintf("(%s ? %s : %s)", cond, e.kids[1].text(), e.kids[2].text())
	case "in":
		items := make([]string, len(e.list))
		for i, v := range e.list {
			items[i] = literal(v)
		}
		return fmt.Sprintf("(%s in [%s])", e.kids[0].text(), strings.Join(items, ", "))
	case "startsWith", "endsWith", "contains":
		return fmt.Sprintf("%s.%s(%s)", e.kids[0].text(), e.op, e.kids[1].text())
	case "size", "int", "double", "string":
		return fmt.Sprintf("%s(%s)", e.op, e.kids[0].text())
	case "getHours", "getMinutes", "getDayOfWeek", "getDayOfMonth", "getMonth", "getFullYear":
		return fmt.Sprintf("%s.%s()", e.kids[0].text(), e.op)
	}
	return fmt.Sprintf("(%s %s %s)", e.kids[0].text(), e.op, e.kids[1].text())
}

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case int64:
		if v == math.MinInt64 {
			return "(-9223372036854775807 - 1)"
		}
		return strconv.FormatInt(v, 10)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case string:
		return "'" + v + "'"
	}
	return fmt.Sprint(v)
}

// fields adds the fields that the expression reads.
func (e *metaExpr) fields(to map[string]bool) {
	if e.op == "field" {
		to[e.name] = true
	}
	for _, k := range e.kids {
		k.fields(to)
	}
}

// exprGen makes expressions over fields and lets.
type exprGen struct {
	*rng
	leaves []*metaExpr // fields and lets that may be operands
	nulls  map[string]bool
}

// leaf is a field or let of a kind, or a literal.
func (g *exprGen) leaf(kind string) *metaExpr {
	if !g.one(4) {
		var of []*metaExpr
		for _, l := range g.leaves {
			if l.kind == kind {
				of = append(of, l)
			}
		}
		if len(of) > 0 {
			return g.guarded(of[g.IntN(len(of))])
		}
	}
	return g.literal(kind)
}

// guarded asks for null where a field can be, mostly.
func (g *exprGen) guarded(e *metaExpr) *metaExpr {
	if !g.nulls[e.name] || g.one(8) {
		return e
	}
	return &metaExpr{op: "?:", kind: e.kind, kids: []*metaExpr{{op: "notnull", kind: "bool", kids: []*metaExpr{e}}, e, g.literal(e.kind)}}
}

func (g *exprGen) literal(kind string) *metaExpr {
	e := &metaExpr{op: "lit", kind: kind}
	switch kind {
	case "bool":
		e.lit = g.one(2)
	case "int":
		e.lit = pickOf(g.rng, int64(0), 1, 2, 3, 5, 7, 60, -1, -4, 1000, math.MaxInt64, math.MinInt64+1)
	case "double":
		e.lit = pickOf(g.rng, 0.0, 1.0, 0.5, -2.25, 100.0, 1e300, 1e-300, 3.0)
	case "string":
		e.lit = pickOf(g.rng, "", "a", "b", "ab", "zz", "ä")
	case "time": // there are no literals of times here
		for _, l := range g.leaves {
			if l.kind == "time" && l.op == "field" {
				return l
			}
		}
	}
	return e
}

// of is an expression of a kind. What reads no field is a literal: an error that is always made is refused in the file.
func (g *exprGen) of(kind string, depth int) *metaExpr {
	e := g.any(kind, depth)
	if read := map[string]bool{}; e.op != "lit" {
		if e.fields(read); len(read) == 0 {
			return g.literal(kind)
		}
	}
	return e
}

func (g *exprGen) any(kind string, depth int) *metaExpr {
	if depth <= 0 || g.one(5) {
		return g.leaf(kind)
	}
	depth--
	node := func(op string, kids ...*metaExpr) *metaExpr { return &metaExpr{op: op, kind: kind, kids: kids} }
	if g.one(9) {
		return node("?:", g.of("bool", depth), g.of(kind, depth), g.of(kind, depth))
	}
	switch kind {
	case "bool":
		return g.boolOf(depth)
	case "int":
		switch g.IntN(10) {
		case 0:
			return node("size", g.of("string", depth))
		case 1:
			return node("int", g.of("double", depth))
		case 2:
			return node(pickOf(g.rng, "getHours", "getMinutes", "getDayOfWeek", "getDayOfMonth", "getMonth", "getFullYear"), g.leaf("time"))
		case 3:
			return node("int", g.leaf("time"))
		case 4:
			return node("neg", g.of(kind, depth))
		}
		return node(pickOf(g.rng, "+", "-", "*", "/", "%"), g.of(kind, depth), g.of(kind, depth))
	case "double":
		switch g.IntN(6) {
		case 0:
			return node("double", g.of("int", depth))
		case 1:
			return node("neg", g.of(kind, depth))
		}
		return node(pickOf(g.rng, "+", "-", "*", "/"), g.of(kind, depth), g.of(kind, depth))
	case "string":
		if g.one(3) {
			return node("string", g.of("int", depth))
		}
		return node("+", g.of(kind, depth), g.of(kind, depth))
	}
	return g.leaf(kind)
}

func (g *exprGen) boolOf(depth int) *metaExpr {
	node := func(op string, kids ...*metaExpr) *metaExpr { return &metaExpr{op: op, kind: "bool", kids: kids} }
	k := pickOf(g.rng, "int", "double", "string", "time", "bool")
	switch g.IntN(9) {
	case 0, 1:
		return node(pickOf(g.rng, "&&", "||"), g.of("bool", depth), g.of("bool", depth))
	case 2:
		return node("!", g.of("bool", depth))
	case 3, 4:
		return node(pickOf(g.rng, "<", "<=", ">", ">="), g.of(k, depth), g.of(k, depth))
	case 5:
		if g.one(2) {
			return node(pickOf(g.rng, "<", "<=", ">", ">="), g.of("int", depth), g.of("double", depth))
		}
		return node(pickOf(g.rng, "<", "<=", ">", ">="), g.of("double", depth), g.of("int", depth))
	case 6:
		return node(pickOf(g.rng, "==", "!="), g.plain(k), g.of(k, depth))
	case 7:
		if e := g.nullable(); e != nil {
			return node(pickOf(g.rng, "isnull", "notnull"), e)
		}
	}
	k = pickOf(g.rng, "int", "string")
	e := node("in", g.plain(k))
	for range 1 + g.IntN(3) {
		e.list = append(e.list, g.literal(k).lit)
	}
	return e
}

// plain is a field or let without a guard: == and in take null.
func (g *exprGen) plain(kind string) *metaExpr {
	var of []*metaExpr
	for _, l := range g.leaves {
		if l.kind == kind {
			of = append(of, l)
		}
	}
	if len(of) == 0 {
		return g.literal(kind)
	}
	return of[g.IntN(len(of))]
}

func (g *exprGen) nullable() *metaExpr {
	var of []*metaExpr
	for _, l := range g.leaves {
		if g.nulls[l.name] && l.kind != "decimal" {
			of = append(of, l)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return of[g.IntN(len(of))]
}

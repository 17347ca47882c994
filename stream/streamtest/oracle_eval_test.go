package streamtest

import (
	"encoding/binary"
	"strings"
)

// evaluate applies rules, and computes keys and arguments. It gives fateAggregated for what goes on to the windows.
// source is the event's, or -1 for a pair.
func (j *oracleJudge) evaluate(e *oracleEntry, row map[string]any, source int) int {
	if fate := j.rules(row, source); fate != fateAggregated {
		return fate
	}
	p := j.o.p
	for n := range p.outputs {
		out := &p.outputs[n]
		var key []byte
		for i, g := range out.group {
			v, ok := j.operand(g.expr, row, source)
			if !ok {
				return fateInvalid
			}
			key = appendKey(key, v, j.o.nullable[n][i])
		}
		var args []any
		for i := range out.aggs {
			var v any
			if arg := out.aggs[i].arg; arg != nil {
				ok := false
				if v, ok = j.operand(arg, row, source); !ok {
					return fateInvalid
				}
			}
			if stamp, is := v.(oracleStamp); is {
				v = stamp.raw
			}
			args = append(args, v)
		}
		e.keys, e.args = append(e.keys, key), append(e.args, args)
		for _, s := range out.spans(e.time) {
			if s.start < metaTimeMin || s.end-1 > metaTimeMax {
				return fateInvalid
			}
		}
	}
	return fateAggregated
}

// rules: the first that filters or quarantines decides; a condition without a value fires, and a filter that can't tell
// quarantines.
func (j *oracleJudge) rules(row map[string]any, source int) int {
	for i := range j.o.p.rules {
		r := &j.o.p.rules[i]
		v, err := r.cond.eval(row)
		unknown := err != nil || v == nil
		if unknown && j.foreign(r.cond, source) {
			continue // it is about other sources' events
		}
		if !unknown && v.(bool) == r.expect {
			continue
		}
		j.v.counts.rules[i]++
		switch {
		case r.then == "count":
			continue
		case r.then == "filter" && (!unknown || r.expect): // an expectation that can't be evaluated isn't met
			return fateFiltered
		}
		return fateInvalid
	}
	return fateAggregated
}

// foreign says whether an expression reads fields, and none of the event in hand: in windows of several sources that is
// null where it comes to nothing.
func (j *oracleJudge) foreign(e *metaExpr, source int) bool {
	if j.o.p.shape != shapeCoGroup {
		return false
	}
	read := map[string]bool{}
	e.fields(read)
	for name := range read {
		if strings.HasPrefix(name, j.o.p.sources[source].name+".") {
			return false
		}
	}
	return len(read) > 0
}

// operand is the value of a group's field or of an argument; false if the event is invalid for it.
func (j *oracleJudge) operand(e *metaExpr, row map[string]any, source int) (any, bool) {
	if e.op == "field" {
		return row[e.name], true
	}
	v, err := e.eval(row)
	if err != nil {
		return nil, j.foreign(e, source)
	}
	return v, true
}

// appendKey appends a group's field as the key has it (curated/FORMAT.md).
func appendKey(b []byte, v any, nullable bool) []byte {
	if v == nil {
		return append(b, 0)
	}
	if nullable {
		b = append(b, 2)
	}
	switch v := v.(type) {
	case bool:
		return append(b, byte(b2i(v)))
	case int64:
		return binary.AppendVarint(b, v)
	case oracleStamp:
		return binary.AppendVarint(b, v.raw)
	case string:
		return appendString(b, v)
	}
	return append(binary.AppendVarint(b, int64(len(v.([]byte)))), v.([]byte)...)
}

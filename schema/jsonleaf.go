package schema

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// jsonSort is what kind of JSON value begins with c, for messages.
func jsonSort(c byte) string {
	switch {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a text"
	case c == '-' || '0' <= c && c <= '9':
		return "a number"
	case c == 't' || c == 'f':
		return "true or false"
	case c == 'n':
		return "null"
	}
	return strconv.QuoteRune(rune(c))
}

// mismatch notes a value of another type than j's, unless j takes any.
func (w *jsonWalk) mismatch(j *jsonNode, got string) {
	if j != nil && !j.n.anyJSON() {
		w.wrong(j, ReasonBadType, "%s, expected %s", got, j.n.typ())
	}
}

func (w *jsonWalk) leafBool(j *jsonNode, b bool) {
	if j.n.avro != "boolean" {
		w.mismatch(j, strconv.FormatBool(b))
		return
	}
	w.set(j, BoolValue(b))
}

func (w *jsonWalk) leafNumber(j *jsonNode, text []byte, whole bool) {
	switch j.n.avro {
	case "int", "long":
		i, reason := exactInteger(text, whole)
		if reason == "" && j.n.avro == "int" && int64(int32(i)) != i {
			reason = ReasonIntRange
		}
		if reason != "" {
			w.wrong(j, reason, "the number %s is no %s", clip(string(text)), j.n.typ())
			return
		}
		w.set(j, IntValue(i))
	case "float", "double":
		w.leafFloat(j, text)
	case "bytes", "fixed":
		if j.n.logical == "decimal" {
			w.leafDecimal(j, text)
			return
		}
		w.mismatch(j, "a number")
	default:
		w.mismatch(j, "a number")
	}
}

func (w *jsonWalk) leafFloat(j *jsonNode, text []byte) {
	bits := 64
	if j.n.avro == "float" {
		bits = 32
	}
	f, err := strconv.ParseFloat(string(text), bits)
	if err != nil {
		w.wrong(j, ReasonBadNumber, "the number %s is beyond the range of a %s", clip(string(text)), j.n.avro)
		return
	}
	w.set(j, FloatValue(f))
}

func (w *jsonWalk) leafDecimal(j *jsonNode, text []byte) {
	begin := len(w.text)
	out, reason := appendDecimal(w.text, text, j.n)
	if reason != "" {
		w.wrong(j, ReasonBadNumber, "%s: %s", clip(string(text)), reason)
		return
	}
	w.text = out
	w.set(j, BytesValue(out[begin:len(out):len(out)]))
}

func (w *jsonWalk) leafText(j *jsonNode, text []byte) {
	switch j.n.avro {
	case "string":
		w.set(j, StringValue(text))
	case "enum":
		if !slices.ContainsFunc(j.symbols, func(s []byte) bool { return string(s) == string(text) }) {
			w.wrong(j, ReasonBadEnum, "%q is none of %v", clip(string(text)), j.n.symbols)
			return
		}
		w.set(j, StringValue(text))
	case "int", "long":
		w.leafTime(j, text)
	case "float", "double":
		switch string(text) {
		case "NaN":
			w.set(j, FloatValue(math.NaN()))
		case "Infinity":
			w.set(j, FloatValue(math.Inf(1)))
		case "-Infinity":
			w.set(j, FloatValue(math.Inf(-1)))
		default:
			w.mismatch(j, "a text")
		}
	case "bytes", "fixed":
		if j.n.logical == "decimal" {
			w.leafDecimal(j, text)
			return
		}
		w.leafBytes(j, text)
	default:
		w.mismatch(j, "a text")
	}
}

// leafTime reads a date or a timestamp. Digits finer than its unit are cut off, towards the past.
func (w *jsonWalk) leafTime(j *jsonNode, text []byte) {
	units, local := unitsPerSecond(j.n.logical)
	if units == 0 && j.n.logical != "date" {
		w.mismatch(j, "a text")
		return
	}
	v, ok := jsonTime(text, j.n.logical, units, local)
	if !ok {
		w.wrong(j, ReasonBadTime, "the text %q is no %s", clip(string(text)), j.n.logical)
		return
	}
	w.set(j, IntValue(v))
}

// leafBytes reads Avro's JSON form of bytes: a character U+0000 to U+00FF for each.
func (w *jsonWalk) leafBytes(j *jsonNode, text []byte) {
	begin := len(w.text)
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r > 0xff {
			w.wrong(j, ReasonBadType, "character %q is beyond U+00FF: bytes are written with one character U+0000 to U+00FF each", r)
			return
		}
		w.text = append(w.text, byte(r))
		rest = rest[size:]
	}
	out := w.text[begin:len(w.text):len(w.text)]
	if j.n.avro == "fixed" && len(out) != j.n.size {
		w.wrong(j, ReasonBadType, "%d bytes, exactly %d are needed", len(out), j.n.size)
		return
	}
	w.set(j, BytesValue(out))
}

package pipeline

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Limits of parameters.
const (
	literalDepthMax = 2
	literalListMax  = 1000
	literalTextMax  = 4096 // bytes
)

const literalForm = "parameters are numbers, quoted texts, true, false, or lists of them, as in [0, 15, 60]; they can't depend on the event"

// parseLiteral reads the literal that is text[from:to]. at is where the complaint lies.
func parseLiteral(text string, from, to int) (value window.Literal, at int, fault *complaint) {
	return literal(text, from, to, 0)
}

func literal(text string, from, to, depth int) (value window.Literal, at int, fault *complaint) {
	trimmed := strings.TrimSpace(text[from:to])
	if trimmed == "" {
		return value, from, complain(literalForm, "a parameter is missing")
	}
	from += strings.Index(text[from:to], trimmed)
	to = from + len(trimmed)
	switch {
	case trimmed == "true" || trimmed == "false":
		return window.Literal{Kind: window.LiteralBool, Bool: trimmed == "true"}, 0, nil
	case trimmed[0] == '[':
		return literalList(text, from, to, depth)
	case trimmed[0] == '"' || trimmed[0] == '\'':
		return literalText(text, from, to)
	}
	if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
		return window.Literal{Kind: window.LiteralInt, Int: n}, 0, nil
	} else if errors.Is(err, strconv.ErrRange) {
		return value, from, complain("write a number of 64 bits, or one with a point", "%s is out of range", trimmed)
	}
	if strings.Trim(trimmed, "+-.0123456789eE") == "" {
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil && !math.IsInf(f, 0) {
			return window.Literal{Kind: window.LiteralFloat, Float: f}, 0, nil
		}
	}
	if percent, ok := strings.CutSuffix(trimmed, "%"); ok {
		if f, err := strconv.ParseFloat(percent, 64); err == nil {
			return value, from, complain("write "+strconv.FormatFloat(f/100, 'g', 10, 64), "%s is no parameter", trimmed)
		}
	}
	return value, from, complain(literalForm, "%s is no parameter", strconv.Quote(trimmed))
}

func literalList(text string, from, to, depth int) (value window.Literal, at int, fault *complaint) {
	value.Kind = window.LiteralList
	closing, fault := closingBracket(text, from)
	if fault != nil || closing != to-1 {
		return value, from, complain(literalForm, "%q is no parameter", text[from:to])
	}
	if depth == literalDepthMax {
		return value, from, complain(literalForm, "lists within lists are no parameter")
	}
	if strings.TrimSpace(text[from+1:closing]) == "" {
		return value, 0, nil
	}
	parts := splitArguments(text, from+1, closing)
	if len(parts) > literalListMax {
		return value, from, complain("write a shorter list", "a list of %d values, at most %d are allowed", len(parts), literalListMax)
	}
	for _, part := range parts {
		element, at, fault := literal(text, part[0], part[1], depth+1)
		if fault != nil {
			return value, at, fault
		}
		value.List = append(value.List, element)
	}
	return value, 0, nil
}

// literalText reads a text in quotes, in which a backslash stands before a quote or a backslash.
func literalText(text string, from, to int) (value window.Literal, at int, fault *complaint) {
	n := quoted(text, from)
	if n != to-from || strings.HasPrefix(text[from:to], strings.Repeat(text[from:from+1], 3)) {
		return value, from, complain(literalForm, "%q is no parameter", text[from:to])
	}
	if n > literalTextMax {
		return value, from, complain("write a shorter text", "a text of %d bytes, at most %d are allowed", n, literalTextMax)
	}
	var out strings.Builder
	inner := text[from+1 : to-1]
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' {
			i++
			if i == len(inner) || inner[i] != '\\' && inner[i] != '"' && inner[i] != '\'' {
				return value, from + i, complain(`write \\ for a backslash`, "a backslash stands alone in %s", text[from:to])
			}
		}
		out.WriteByte(inner[i])
	}
	return window.Literal{Kind: window.LiteralText, Text: out.String()}, 0, nil
}

// parametersOf is how many parameters a function takes, in words.
func parametersOf(def window.Definition) string {
	switch {
	case def.Min == def.Max && def.Max == 1:
		return "1 parameter"
	case def.Min == def.Max:
		return strconv.Itoa(def.Max) + " parameters"
	case def.Min == 0:
		return "at most " + strconv.Itoa(def.Max)
	}
	return strconv.Itoa(def.Min) + " to " + strconv.Itoa(def.Max) + " parameters"
}

// exampleOf is the form of a call.
func exampleOf(name string, def window.Definition) string {
	if def.Params != "" {
		return name + def.Params
	}
	return name + "(x)"
}

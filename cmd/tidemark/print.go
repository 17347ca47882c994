package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"text/tabwriter"
	"time"
)

const apiVersion = "tidemark/v1"

// printer writes text results and remembers the first failure.
type printer struct {
	w     *bufio.Writer
	err   error
	paint bool // a terminal that wants colours
}

// printer writes to stdout.
func (a *app) printer() *printer {
	return &printer{
		w:     bufio.NewWriter(a.out),
		paint: a.output == "text" && !a.noColor && os.Getenv("NO_COLOR") == "" && isTerminal(a.out),
	}
}

// verdict marks a word that decides: green when all is well, red when not.
func (p *printer) verdict(well bool, word string) string {
	switch {
	case !p.paint:
		return word
	case well:
		return "\x1b[32m" + word + "\x1b[0m"
	}
	return "\x1b[1;31m" + word + "\x1b[0m"
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// table writes rows in aligned columns; the first one names them.
func (p *printer) table(rows [][]string) {
	if p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				cell = "\t" + cell
			}
			if _, p.err = io.WriteString(t, cell); p.err != nil {
				return
			}
		}
		if _, p.err = io.WriteString(t, "\n"); p.err != nil {
			return
		}
	}
	p.err = t.Flush()
}

func (p *printer) flush() error {
	if p.err == nil {
		p.err = p.w.Flush()
	}
	if p.err != nil {
		return fmt.Errorf("write the result: %w", p.err)
	}
	return nil
}

// result prints what a command found: as text, or as one JSON object that says what it is.
func (a *app) result(kind string, object any, text func(*printer)) error {
	p := a.printer()
	if a.output == "json" {
		line, err := document(kind, object)
		if err != nil {
			return err
		}
		p.line("%s", line)
	} else {
		text(p)
	}
	return p.flush()
}

// documentResult prints a document that already says its apiVersion and kind.
func (a *app) documentResult(object any, text func(*printer)) error {
	p := a.printer()
	if a.output == "json" {
		line, err := json.Marshal(object)
		if err != nil {
			return fmt.Errorf("encode the result: %w", err)
		}
		p.line("%s", line)
	} else {
		text(p)
	}
	return p.flush()
}

// document is an object as JSON with apiVersion and kind before its own fields.
func document(kind string, object any) ([]byte, error) {
	head, err := json.Marshal(struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}{apiVersion, kind})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	if len(body) < 2 || body[0] != '{' {
		return nil, fmt.Errorf("encode %s: a %s is no JSON object", kind, reflect.TypeOf(object))
	}
	if len(body) == 2 {
		return head, nil
	}
	return append(append(head[:len(head)-1], ','), body[1:]...), nil
}

// count is a number as people read it: 26,483.
func count[N ~int | ~int32 | ~int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// plural is a count with its noun.
func plural[N ~int | ~int32 | ~int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// size is a number of bytes as people read it.
func size(bytes int64) string {
	const step = 1024
	if bytes < step {
		return plural(bytes, "byte", "bytes")
	}
	value, unit := float64(bytes), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value /= step; value < step {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// instant is a time in milliseconds since the epoch as RFC 3339 in UTC, "-" for none.
func instant(ms int64, known bool) string {
	if !known {
		return "-"
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

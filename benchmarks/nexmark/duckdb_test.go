package nexmark

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/testcache"
)

// rows are an output's: place (key, start, end) to values.
type rows map[string]string

// answer names what DuckDB computed.
type answer struct {
	log, query string
	output     int
}

// duckDB computes every query's SQL over every log, in one process.
func duckDB(t *testing.T, logs map[string][]message, queries []string) map[answer]rows {
	t.Helper()
	dir := t.TempDir()
	for name, log := range logs {
		write(t, filepath.Join(dir, name), log)
	}
	args := []string{"run.py", dir}
	for _, q := range queries {
		args = append(args, q+".sql")
	}
	out := testcache.Run(t, testcache.NeedsPython, nil, testcache.Python(t, "nexmark", "--only-binary", ":all:"), args...)
	answers := map[answer]rows{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Log, Query string
			Output     int
			Row        []any
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if err := d.Decode(&line); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		a := answer{line.Log, line.Query, line.Output}
		if answers[a] == nil {
			answers[a] = rows{}
		}
		answers[a].add(t, fmt.Sprint(a), line.Row)
	}
	must(t, lines.Err())
	return answers
}

func write(t *testing.T, dir string, log []message) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	files := map[string]*bytes.Buffer{"persons": {}, "auctions": {}, "bids": {}, "labels": {}}
	for _, m := range log {
		files[m.topic].Write(append(m.text, '\n'))
	}
	for topic, b := range files {
		must(t, os.WriteFile(filepath.Join(dir, topic+".json"), b.Bytes(), 0o644))
	}
}

// add takes a row: key, start, end, and the values.
func (r rows) add(t *testing.T, of string, row []any) {
	place := show(row[0]) + " " + show(row[1]) + " " + show(row[2])
	if _, twice := r[place]; twice {
		t.Errorf("%s has two rows of %s", of, place)
	}
	r[place] = show(row[3:])
}

// show writes a value so that equal ones, and only those, look the same: doubles with all of their bits.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case json.Number:
		if strings.ContainsAny(string(v), ".eEnN") {
			if f, err := v.Float64(); err == nil {
				return show(f)
			}
		}
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return "double " + strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return strconv.Quote(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = show(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprintf("%T %v", v, v)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// --latest-per-key is what a consumer who upserts by the whole key holds: the last record, whatever its revision, and no window that
// was retracted; it is said where that isn't the highest revision. --changes is the way there.
func TestLatestPerKey(t *testing.T) {
	codec, err := curated.NewCodec("p", "out", []curated.GroupField{{Name: "city", Type: schema.Type{Kind: schema.KindString, Avro: "string"}}},
		[]window.Agg{{Name: "n", Func: window.Count, Arg: -1}})
	if err != nil {
		t.Fatal(err)
	}
	const hour = 3_600_000
	record := func(city string, start, n, revision int64, status curated.Status) *kafka.Record {
		row := &curated.Row{
			Key: codec.AppendGroupKey(nil, []schema.Value{schema.StringValue([]byte(city))}), Start: start, End: start + hour,
			Values: []schema.Value{schema.IntValue(n)}, Revision: revision, Status: status, Cause: curated.CauseClose, Pipeline: "p",
		}
		return &kafka.Record{Key: codec.AppendKey(nil, row), Value: codec.AppendValue(nil, row)}
	}
	var out, warned bytes.Buffer
	a := &app{out: &out, err: &warned, output: "text"}
	p := a.printer()
	w, err := a.newRows(&pipeline.Plan{
		Outputs: []window.Output{{Name: "out", Size: hour, Aggs: []window.Agg{{Name: "n"}}}}, Codecs: []*curated.Codec{codec},
	}, 0, p)
	if err != nil {
		t.Fatal(err)
	}
	records := []*kafka.Record{
		record("rome", hour, 1, 2, curated.Closed),
		record("oslo", 0, 5, 6, curated.Closed),
		record("oslo", hour, 7, 8, curated.Closed),
		record("oslo", 0, 6, 7, curated.Reconciled),
		record("oslo", 0, 4, 5, curated.Closed), // the revision falls
		record("oslo", hour, 9, 8, curated.Closed),
		record("rome", hour, 0, 3, curated.Retracted),
		record("bern", 0, 1, 2, curated.Retracted),
		record("bern", 0, 3, 4, curated.Reconciled), // it came back
		record("rome", 0, 3, 4, curated.Closed),
		record("rome", 0, 2, 3, curated.Closed), // falls, and is put right
		record("rome", 0, 3, 5, curated.Reconciled),
	}
	for i, r := range records {
		r.Topic, r.Offset = "out", int64(i)
	}
	for _, r := range records {
		if err := w.printChange(r); err != nil {
			t.Fatal(err)
		}
	}
	clear(w.kept)
	for _, r := range records {
		if err := w.keep(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.printLatest(); err != nil {
		t.Fatal(err)
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"rome  1970-01-01T01:00:00Z  n 1  revision 2 CLOSED (CLOSE)",
		"oslo  1970-01-01T00:00:00Z  n 5  revision 6 CLOSED (CLOSE)",
		"oslo  1970-01-01T01:00:00Z  n 7  revision 8 CLOSED (CLOSE)",
		"oslo  1970-01-01T00:00:00Z  n 5 -> 6  revision 7 RECONCILED (CLOSE)",
		"oslo  1970-01-01T00:00:00Z  n 6 -> 4  revision 5 CLOSED (CLOSE)",
		"oslo  1970-01-01T01:00:00Z  n 7 -> 9  revision 8 CLOSED (CLOSE)",
		"rome  1970-01-01T01:00:00Z  was  n 1  revision 3 RETRACTED (CLOSE)",
		"bern  1970-01-01T00:00:00Z  was  nothing  revision 2 RETRACTED (CLOSE)",
		"bern  1970-01-01T00:00:00Z  n 3  revision 4 RECONCILED (CLOSE)",
		"rome  1970-01-01T00:00:00Z  n 3  revision 4 CLOSED (CLOSE)",
		"rome  1970-01-01T00:00:00Z  n 3 -> 2  revision 3 CLOSED (CLOSE)",
		"rome  1970-01-01T00:00:00Z  n 2 -> 3  revision 5 RECONCILED (CLOSE)",
		"bern  1970-01-01T00:00:00Z  n 3  revision 4 RECONCILED (CLOSE)",
		"oslo  1970-01-01T00:00:00Z  n 4  revision 5 CLOSED (CLOSE)",
		"oslo  1970-01-01T01:00:00Z  n 9  revision 8 CLOSED (CLOSE)",
		"rome  1970-01-01T00:00:00Z  n 3  revision 5 RECONCILED (CLOSE)",
		"",
	}, "\n")
	complaints := strings.Join([]string{
		"tidemark: consume out: the last record of 1 key is not of the highest revision, as with oslo  1970-01-01T00:00:00Z:",
		"out/0@4 is revision 5, offset 3 before it revision 7; tidemark reconcile run publishes such windows again\n",
	}, " ")
	if err := a.warnOdds(w, "out"); err != nil || warned.String() != complaints {
		t.Errorf("%v: said\n%swant\n%s", err, warned.String(), complaints)
	}
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 26739: "26,739"} {
		if got := count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{1: "1 byte", 1023: "1,023 bytes", 1024: "1.0 KiB", 5 << 20: "5.0 MiB", 1 << 60: "1048576.0 TiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// Two decimals must neither hide what is small nor make up digits of what is large.
func TestFloatsAsPeopleReadThem(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.00", 0.01: "0.01", -4.583333: "-4.58", 1e14: "100000000000000.00", 0.009: "0.009", 1e-30: "1e-30", -1e-30: "-1e-30",
		1e15: "1e+15", 9.223372036854776e18: "9.223372036854776e+18", 1e30: "1e+30", math.Inf(-1): "-Inf",
	} {
		if got := floatText(f); got != want {
			t.Errorf("%g: %s, want %s", f, got, want)
		}
	}
}

func TestColoursOnlyOnATerminal(t *testing.T) {
	var out bytes.Buffer
	p := (&app{out: &out, output: "text"}).printer()
	if got := p.verdict(true, "balanced"); got != "balanced" {
		t.Errorf("%q off a terminal", got)
	}
	p.paint = true
	if got := p.verdict(false, "DIFFERENT"); got != "\x1b[1;31mDIFFERENT\x1b[0m" {
		t.Errorf("%q on one", got)
	}
}

// document puts apiVersion and kind before an object's own fields.
func TestDocuments(t *testing.T) {
	for _, c := range []struct {
		object any
		want   string
	}{
		{struct{}{}, `{"apiVersion":"tidemark/v1","kind":"K"}`},
		{struct {
			A int `json:"a"`
		}{1}, `{"apiVersion":"tidemark/v1","kind":"K","a":1}`},
	} {
		got, err := document("K", c.object)
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v; want %s", got, err, c.want)
		}
	}
	if _, err := document("K", []int{1}); err == nil {
		t.Error("a list is no document")
	}
}

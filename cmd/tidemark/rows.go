package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// rows prints the rows of one output.
type rows struct {
	codec  *curated.Codec
	output *window.Output
	schema *schema.Schema
	json   bool
	p      *printer
	row    curated.Row
	kept   map[string]keptRow
}

type keptRow struct {
	key, value []byte
	partition  int32

	// The last record of the key, and the last of its highest revision.
	revision, offset int64
	highest, above   int64
}

func (a *app) newRows(plan *pipeline.Plan, output int, p *printer) (*rows, error) {
	codec, o := plan.Codecs[output], &plan.Outputs[output]
	s, err := schema.Parse([]byte(codec.ValueSchema()))
	if err != nil {
		return nil, fmt.Errorf("schema of output %s: %w", o.Name, err)
	}
	return &rows{codec: codec, output: o, schema: s, json: a.output == "json", p: p, kept: map[string]keptRow{}}, nil
}

func (w *rows) print(r *kafka.Record) error { return w.printRow(r.Key, r.Value) }

// keep folds as an upsert by key and compaction do: the last record of a key holds. It leaves the record's row in w.row.
func (w *rows) keep(r *kafka.Record) error {
	if err := w.codec.Decode(r.Key, r.Value, &w.row); err != nil {
		return err
	}
	k := keptRow{key: r.Key, value: r.Value, partition: r.Partition, revision: w.row.Revision, offset: r.Offset, highest: w.row.Revision, above: r.Offset}
	if was, ok := w.kept[string(r.Key)]; ok && was.highest > k.highest {
		k.highest, k.above = was.highest, was.above
	}
	w.kept[string(r.Key)] = k
	return nil
}

// odds says which windows' last record isn't of the highest revision; empty if all are.
func (w *rows) odds() (string, error) {
	first, n := "", 0
	for key := range w.kept {
		if k := w.kept[key]; k.revision < k.highest {
			if n++; first == "" || key < first {
				first = key
			}
		}
	}
	if n == 0 {
		return "", nil
	}
	k := w.kept[first]
	if err := w.codec.Decode(k.key, k.value, &w.row); err != nil {
		return "", err
	}
	return fmt.Sprintf("the last record of %s is not of the highest revision, as with %s: %s/%d@%d is revision %d, offset %d before it revision %d; tidemark reconcile run publishes such windows again",
		plural(n, "key", "keys"), w.name(), w.output.Name, k.partition, k.offset, k.revision, k.above, k.highest), nil
}

// printLatest prints what was kept, by group and window, without retracted windows.
func (w *rows) printLatest() error {
	type placed struct {
		keptRow
		group string
		start int64
	}
	all := make([]placed, 0, len(w.kept))
	for _, k := range w.kept {
		if err := w.codec.Decode(k.key, k.value, &w.row); err != nil {
			return err
		}
		if w.row.Status != curated.Retracted {
			all = append(all, placed{k, w.codec.FormatKey(w.row.Key), w.row.Start})
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.start, b.start), bytes.Compare(a.key, b.key))
	})
	for _, r := range all {
		if err := w.printRow(r.key, r.value); err != nil {
			return err
		}
	}
	return nil
}

func (w *rows) printRow(key, value []byte) error {
	if w.json {
		return printJSON(w.p, w.schema, value)
	}
	if err := w.codec.Decode(key, value, &w.row); err != nil {
		return err
	}
	text := ""
	for i, agg := range w.output.Aggs {
		if w.row.Status != curated.Retracted {
			text += "  " + agg.Name + " " + w.codec.FormatValue(i, w.row.Values[i])
		}
	}
	w.p.line("%s%s  revision %d %s (%s)", w.name(), text, w.row.Revision, w.row.Status, w.row.Cause)
	return w.p.err
}

// name is the group and window of the row. Windows that follow one another are named by their starts; others by both ends.
func (w *rows) name() string {
	group := w.codec.FormatKey(w.row.Key)
	if group != "" {
		group += "  "
	}
	if o := w.output; !o.Session() && o.Zone == nil && (o.Every == 0 || o.Every == o.Size) {
		return group + instant(w.row.Start, true)
	}
	return group + instant(w.row.Start, true) + ".." + instant(w.row.End, true)
}

// printChange prints a row beside the one that it replaces, which is that of the record before.
func (w *rows) printChange(r *kafka.Record) error {
	before, ok := w.kept[string(r.Key)]
	if err := w.keep(r); err != nil {
		return err
	}
	if w.json {
		return w.printChangeJSON(before, ok, r)
	}
	after := w.texts()
	name, revision, status := w.name(), w.row.Revision, fmt.Sprintf("%s (%s)", w.row.Status, w.row.Cause)
	var from []string
	if ok {
		if err := w.codec.Decode(before.key, before.value, &w.row); err != nil {
			return err
		}
		from = w.texts()
	}
	w.p.line("%s%s  revision %d %s", name, w.changeText(from, after), revision, status)
	return w.p.err
}

// changeText is what becomes of the values; nil stands for a row that is retracted.
func (w *rows) changeText(from, to []string) string {
	text := ""
	if to == nil {
		for i, agg := range w.output.Aggs {
			if from != nil {
				text += "  " + agg.Name + " " + from[i]
			}
		}
		return "  was" + cmp.Or(text, "  nothing")
	}
	for i, agg := range w.output.Aggs {
		switch {
		case from == nil || from[i] == "":
			text += "  " + agg.Name + " " + to[i]
		case from[i] != to[i]:
			text += "  " + agg.Name + " " + from[i] + " -> " + to[i]
		}
	}
	return cmp.Or(text, "  no value changes")
}

// texts are the values of the row; nil for one that is retracted.
func (w *rows) texts() []string {
	if w.row.Status == curated.Retracted {
		return nil
	}
	texts := make([]string, len(w.output.Aggs))
	for i := range texts {
		texts[i] = w.codec.FormatValue(i, w.row.Values[i])
	}
	return texts
}

func (w *rows) printChangeJSON(before keptRow, ok bool, r *kafka.Record) error {
	var change struct {
		Before json.RawMessage `json:"before"` // null: the first row of its group and window
		After  json.RawMessage `json:"after"`
	}
	var err error
	if ok {
		if change.Before, err = w.schema.ToJSON(before.value); err != nil {
			return err
		}
	}
	if change.After, err = w.schema.ToJSON(r.Value); err != nil {
		return err
	}
	text, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	w.p.line("%s", text)
	return w.p.err
}

package infer

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Options say what is known of the topic.
type Options struct {
	Topic   string
	Brokers []string
	// Source has format, schema, message and wire.
	Source schema.Source
	// File is where the schema is, as the pipeline file says it; Kind is the key of source.schema that it goes under.
	File, Kind string
	// From says where the schema came from.
	From string
	// Dir is where the pipeline file will be.
	Dir string
}

// Pipeline is the file, with what was guessed.
type Pipeline struct {
	Text    string  `json:"text"`
	Guesses []Guess `json:"guesses"`
}

// ErrNoTime says that nothing in the schema can be an event time.
var ErrNoTime = errors.New("no field is a timestamp, and event time is what windows are made of: give a long the logicalType timestamp-millis (Avro), a string the format date-time (JSON Schema), or use google.protobuf.Timestamp")

var badInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// File writes the pipeline file.
func File(o Options) (*Pipeline, error) {
	shape, err := o.Source.Shape()
	if err != nil {
		return nil, err
	}
	w := &writer{o: o, fields: shape.Paths(), record: shape.Name()}
	if err := w.guess(); err != nil {
		return nil, err
	}
	text := w.text()
	err = check(o.Dir, text)
	if err != nil && len(w.calls) > 1 {
		// A field that can't be aggregated after all must not be in the way of a first file.
		w.calls, w.left = w.calls[:1], nil
		text = w.text()
		err = check(o.Dir, text)
	}
	if err != nil {
		return nil, fmt.Errorf("what was inferred is not sound: %w", err)
	}
	return &Pipeline{Text: text, Guesses: w.guesses}, nil
}

// check is invariant 1.
func check(dir, text string) error {
	env := func(string) (string, bool) { return "", false }
	_, err := pipeline.ParseWith(filepath.Join(dir, "pipeline.yaml"), []byte(text), env, pipeline.Extensions{})
	return err
}

type writer struct {
	o       Options
	fields  []schema.Field
	record  string
	guesses []Guess
	b       strings.Builder

	name, time, id, group string
	why                   map[string]string
	calls                 []aggregate
	left                  []string
}

func (w *writer) note(key, value, why string) {
	w.guesses = append(w.guesses, Guess{key, value, why})
	w.why[key] = why
}

func (w *writer) guess() error {
	w.why = map[string]string{}
	w.name = strings.Trim(badInName.ReplaceAllString(w.o.Topic, "-"), "-._")
	if w.name == "" || !letter(w.name[0]) {
		w.name = "p-" + w.name
	}
	at, why, ok := eventTime(w.fields)
	if !ok {
		return ErrNoTime
	}
	w.time = at.Name
	w.note("source.event_time", w.time, why)
	w.id, why, _ = eventID(w.fields, w.record)
	w.note("source.event_id", w.id, why)
	w.group, why = groupBy(w.fields, []string{w.id, w.time})
	w.note("outputs[0].group_by", w.group, why)
	w.note("source.key", "", "a schema doesn't say by what the producers key the topic, and a wrong key stops the tasks; without it events go through a repartition topic")
	w.calls, w.left = aggregates(w.fields, []string{w.id, w.time, w.group})
	w.note("outputs[0].window", "tumbling: 1h", "a placeholder")
	w.note("outputs[0].allowed_lateness", "10m", "a placeholder: tidemark lateness -f FILE shows what your data needs")
	return nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

// keyed writes a key with its value, and what there is to say about it from the same column on.
func (w *writer) keyed(line, comment string) {
	const column = 44
	if len(line) < column {
		line += strings.Repeat(" ", column-len(line))
	} else {
		line += "  "
	}
	w.line("%s# %s", line, comment)
}

// text writes the file.
func (w *writer) text() string {
	w.b.Reset()
	o := &w.o
	w.line("# A first pipeline over topic %s, inferred from %s. Each line can be changed; the comments", o.Topic, o.From)
	w.line("# say why it is as it is. Check it with: tidemark validate -f FILE")
	w.line("apiVersion: tidemark/v1")
	w.keyed("pipeline: "+w.name, "names the consumer group, state and checkpoints: choose it once")
	w.line("")
	w.line("kafka:")
	w.keyed("  brokers: ["+strings.Join(quoteAll(o.Brokers), ", ")+"]", "tls and sasl go beside it")
	w.line("")
	w.line("source:")
	w.line("  topic: %s", quote(o.Topic))
	w.keyed("  format: "+o.Source.Format, formats[o.Source.Format])
	w.line("  schema: {%s}", w.schema())
	if w.id != "" {
		w.keyed("  event_id: ["+w.id+"]", w.why["source.event_id"])
	} else {
		w.keyed("  # event_id: [...]", w.why["source.event_id"])
	}
	w.keyed("  event_time: "+w.time, w.why["source.event_time"])
	w.line("  # key: [%s]", orDots(w.group))
	w.line("  #   Say it only if the producers key the topic by that very text: a schema doesn't tell, and a wrong key stops the")
	w.line("  #   tasks. Without it events are distributed through a repartition topic of the pipeline's own.")
	w.line("  watermark:")
	w.keyed("    max_out_of_orderness: 1m", "a placeholder: how far events may be behind the newest of their partition")
	w.keyed("    max_future: 24h", "one event with a wrong date far ahead closes nothing")
	w.line("")
	w.rules()
	w.outputs()
	w.line("")
	w.line("lake:")
	w.keyed("  bucket: file://./tidemark-data/lake", "where every raw event is kept, for corrections and audits")
	w.line("")
	w.line("reconcile:")
	w.keyed("  settle: 2h", "how long an hour of the lake must be left alone before late events are corrected")
	w.keyed("  guard: {max_changed_windows: 5%}", "more change than that waits for an approval")
	return w.b.String()
}

var formats = map[string]string{
	schema.FormatAvro: "behind the registry's header: 0x00 and the schema id", schema.FormatAvroRaw: "plain Avro; avro, with ids beside file, is Avro behind a registry's header",
	schema.FormatJSON: "a JSON object a record", schema.FormatProtobuf: "a Protobuf message a record",
}

func (w *writer) schema() string {
	text := w.o.Kind + ": " + quote(w.o.File)
	if w.o.Source.Message != "" {
		text += ", message: " + w.o.Source.Message
	}
	if w.o.Source.Wire.Confluent {
		ids := make([]string, len(w.o.Source.Wire.IDs))
		for i, id := range w.o.Source.Wire.IDs {
			ids[i] = fmt.Sprint(id)
		}
		text += ", ids: [" + strings.Join(ids, ", ") + "]"
	}
	return text
}

// rules writes examples, commented out.
func (w *writer) rules() {
	field, expect := "", ""
	for _, f := range w.fields {
		if field != "" || !usable(f.Name) || f.Type.Decimal() {
			continue
		}
		null := ""
		if f.Type.Nullable {
			null = f.Name + " == null || "
		}
		switch {
		case f.Type.Kind == schema.KindFloat:
			field, expect = f.Name, null+f.Name+" >= 0.0"
		case f.Type.Kind == schema.KindInt && f.Type.Logical == "" && f.Name != w.id:
			field, expect = f.Name, null+f.Name+" >= 0"
		}
	}
	if field == "" {
		return
	}
	w.line("# rules:                                    # what must hold of each event; the rest is quarantined, counted, and kept")
	w.line("#   - {name: sane, expect: %q, else: quarantine}", expect)
	w.line("")
}

func (w *writer) outputs() {
	w.line("outputs:")
	w.keyed("  - name: "+w.outputName(), "the topic of the results, one row for each group and window")
	w.keyed("    group_by: ["+w.group+"]", w.why["outputs[0].group_by"])
	w.keyed("    window: {tumbling: 1h}", "or {hopping: {size: 1h, every: 15m}}, or {session: {gap: 30m, within: 1d}}")
	w.keyed("    allowed_lateness: 10m", "a placeholder: tidemark lateness -f FILE shows what your data needs")
	w.line("    aggregate:")
	for _, a := range w.calls {
		if a.why == "" {
			w.line("      %s: %s", a.name, aggregateCall(a.call))
			continue
		}
		w.keyed("      "+a.name+": "+aggregateCall(a.call), a.why)
	}
	if len(w.left) > 0 {
		w.line("      # numbers too: %s", strings.Join(w.left[:min(len(w.left), 20)], ", "))
	}
	var nullable []string
	for _, f := range w.fields {
		if f.Type.Nullable && slices.ContainsFunc(w.calls, func(a aggregate) bool { return strings.Contains(a.call, "("+f.Name) }) {
			nullable = append(nullable, f.Name)
		}
	}
	if len(nullable) > 0 {
		w.line("      # may be null, and nulls are left out: %s", strings.Join(nullable, ", "))
	}
}

func (w *writer) outputName() string {
	name := w.name + "-hourly"
	if len(name) > 200 {
		name = "hourly"
	}
	return name
}

// aggregateCall is a call as YAML: with quotes if it has a comma.
func aggregateCall(call string) string {
	if strings.Contains(call, ",") {
		return `"` + call + `"`
	}
	return call
}

func orDots(s string) string {
	if s == "" {
		return "..."
	}
	return s
}

var plainAddress = regexp.MustCompile(`^[A-Za-z0-9.-]+:[0-9]+$`)

var plain = regexp.MustCompile(`^[A-Za-z./][A-Za-z0-9_./-]*$`)

func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

func quoteAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
		if plainAddress.MatchString(s) {
			out[i] = s
		}
	}
	return out
}

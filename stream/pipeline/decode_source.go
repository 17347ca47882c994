package pipeline

import (
	"math"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// sources reads source, or sources.
func (l *loader) sources(m *mapping) {
	m.section("source", func(m *mapping) { l.source(m, &l.p.Source) })
	const form = "write each source under a name of its own, as in sources: {bids: {topic: bids, ...}, auctions: {topic: auctions, ...}}"
	m.sectionAs("sources", form, func(m *mapping) {
		m.free = true
		for _, e := range m.entries {
			path, n := m.take(e.key)
			if n == nil {
				l.faults.silence(path)
			}
			l.p.Sources = append(l.p.Sources, NamedSource{Name: e.key})
		}
		for i := range l.p.Sources {
			s := &l.p.Sources[i]
			path, n := m.take(s.Name)
			if n == nil {
				continue
			}
			if sub := l.mapping(path, n); sub != nil {
				l.source(sub, &s.Source)
				sub.done()
			}
		}
	})
	m.instead("source", "input", "inputs", "from")
}

func (l *loader) source(m *mapping, s *Source) {
	m.text("topic", &s.Topic)
	m.choiceElse("format", &s.Format, formatsElse, FormatAvro, FormatAvroRaw, FormatJSON, FormatProtobuf)
	m.sectionAs("schema", "write schema: {file: ./events.avsc}, {json_schema: ./events.json} or {descriptor: ./events.binpb, message: shop.Order}", func(m *mapping) {
		m.text("file", &s.Schema.File)
		m.text("json_schema", &s.Schema.JSONSchema)
		m.text("descriptor", &s.Schema.Descriptor)
		m.text("message", &s.Schema.Message)
		l.schemaIDs(m, &s.Schema.IDs)
		m.later("save the schema beside the pipeline and name it in file, with its registry ids in ids", "subject", "registry")
		m.later("only the schema in file is read for now: leave it out", "compatibility")
		m.instead("ids", "id", "schema_id", "schema_ids")
		m.instead("descriptor", "descriptor_set", "protoset", "proto_descriptor")
		m.refuse("compile it with protoc --include_imports --descriptor_set_out=events.binpb, and name that in descriptor", "proto", "proto_file")
		if m.has("proto") || m.has("proto_file") {
			l.faults.silence(join(m.path, "descriptor"))
		}
	})
	m.text("unnest", &s.Unnest)
	m.texts("event_id", &s.EventID, l.text)
	m.text("event_time", &s.EventTime)
	m.texts("key", &s.Key, l.text)
	m.choiceElse("partitioner", &s.Partitioner, partitionersLater, Murmur2)
	m.choiceElse("start", &s.Start, startsElse, StartEarliest, StartLatest)
	m.sectionAs("watermark", "write watermark: {max_out_of_orderness: 30m}", func(m *mapping) { l.watermark(m, &s.Watermark) })
	m.instead("event_id", "id", "dedup_key", "dedup", "unique_key", "message_id", "deduplicate")
	m.instead("event_time", "timestamp", "timestamp_field", "time", "time_field", "rowtime")
	m.instead("start", "offset", "auto_offset_reset", "offset_reset")
	m.instead("unnest", "explode", "flatten", "flatmap", "flat_map")
	m.instead("key", "keys", "key_fields", "partition_by")
	for _, e := range m.entries {
		if !slices.Contains(m.known, e.key) && holdsKey(e.value, "topic") {
			m.refuse("write sources instead of source: each topic below a name of its own", e.key)
			l.faults.silence(m.path) // what it lacks would follow from that
		}
	}
	m.refuse("write sources: {name: {topic: ...}, ...} for several; each is read by its own name", "topics", "topic_pattern")
	if m.has("topics") || m.has("topic_pattern") {
		l.faults.silence(join(m.path, "topic"))
	}
}

func (l *loader) watermark(m *mapping, w *Watermark) {
	m.duration("max_out_of_orderness", &w.MaxOutOfOrderness)
	m.duration("max_future", &w.MaxFuture)
	if n, ok := m.integer("confirm", 0, confirmMax); ok {
		confirm := int(n)
		w.Confirm = &confirm
	}
	m.duration("idle_after", &w.IdleAfter)
	m.duration("close_when_idle", &w.CloseWhenIdle)
	m.instead("max_out_of_orderness", "delay", "out_of_orderness", "bound", "lag", "bounded_out_of_orderness")
	m.instead("idle_after", "idle_timeout", "idleness")
	m.refuse("it belongs to each output: how long its windows stay open after their ends", "allowed_lateness")
}

// formatsElse are formats that other engines name and what to do about them.
var formatsElse = map[string]*complaint{
	"bytes":        complain("write json, or avro with a schema: what is computed needs fields", "bytes have no fields"),
	"csv":          complain("publish the events as JSON or Avro", "format csv is not offered"),
	"proto":        complain("write protobuf", `"proto" is not known here`),
	"json-schema":  complain("write format: json with schema: {json_schema: ./events.json}, and the registry's ids if records carry the Confluent header", `"json-schema" is not known here`),
	"json-raw":     complain("write json: records carry the Confluent header only if schema.ids are given", `"json-raw" is not known here`),
	"avro-generic": complain("write avro for records with the Confluent header, avro-raw for records without", `"avro-generic" is not known here`),
}

// startsElse are the other places to begin of other engines.
var startsElse = func() map[string]*complaint {
	c := complain("write earliest or latest: it counts at the very first start only, and the group's offsets and the checkpoints ever after", "a start at an offset or time is not offered")
	return map[string]*complaint{"committed": c, "group": c, "timestamp": c, "none": c}
}()

var partitionersLater = func() map[string]*complaint {
	refused := make(map[string]*complaint)
	for _, name := range []string{"crc32", "fnv1a", "fnv-1a", "consistent", "consistent_random", "murmur3", "sarama", "librdkafka", "random", "round_robin"} {
		refused[name] = complain("have the producers use Kafka's own partitioner (in librdkafka: partitioner=murmur2_random), or leave key out: the pipeline then distributes the events itself",
			"partitioner %s is not built yet", name)
	}
	return refused
}()

// schemaIDs reads the registry's ids of a schema.
func (l *loader) schemaIDs(m *mapping, into *[]uint32) {
	const form = "write the registry's numbers, as in [7, 12]"
	m.list("ids", form, form, func(at string, _ int, n ast.Node) {
		text, scalar := raw(n)
		if !scalar {
			l.faults.add(at, complain("write the registry's number of the schema", "must be a number, not %s", describe(n)))
			return
		}
		id, c := parseInteger(text, 0, math.MaxInt32)
		switch {
		case c != nil:
			l.faults.add(at, c)
		case slices.Contains(*into, uint32(id)):
			l.faults.add(at, complain("name it once", "%d is named twice", id))
		default:
			*into = append(*into, uint32(id))
		}
	})
}

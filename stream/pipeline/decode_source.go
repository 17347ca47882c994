package pipeline

func (l *loader) source(m *mapping) {
	s := &l.p.Source
	m.text("topic", &s.Topic)
	m.choiceElse("format", &s.Format, formatsLater, FormatAvro, FormatAvroRaw)
	m.section("schema", func(m *mapping) {
		m.text("file", &s.Schema.File)
		l.schemaIDs(m)
		m.later("save the schema beside the pipeline and name it in file, with its registry ids in ids", "subject", "registry")
		m.later("only the schema in file is read for now: leave it out", "compatibility")
	})
	m.texts("event_id", &s.EventID, l.text)
	m.text("event_time", &s.EventTime)
	m.texts("key", &s.Key, l.text)
	m.choiceElse("partitioner", &s.Partitioner, partitionersLater, Murmur2)
	m.choice("start", &s.Start, StartEarliest, StartLatest)
	m.section("watermark", l.watermark)
	m.instead("event_id", "id", "dedup_key", "dedup", "unique_key")
	m.instead("event_time", "timestamp", "timestamp_field", "time", "time_field")
	m.instead("start", "offset", "auto_offset_reset", "offset_reset")
	m.later("one topic feeds a pipeline for now", "topics")
}

func (l *loader) watermark(m *mapping) {
	w := &l.p.Source.Watermark
	m.duration("max_out_of_orderness", &w.MaxOutOfOrderness)
	m.duration("max_future", &w.MaxFuture)
	if n, ok := m.integer("confirm", 0, confirmMax); ok {
		confirm := int(n)
		w.Confirm = &confirm
	}
	m.duration("idle_after", &w.IdleAfter)
	m.duration("close_when_idle", &w.CloseWhenIdle)
	m.instead("max_out_of_orderness", "delay", "out_of_orderness", "bound", "lag")
	m.instead("idle_after", "idle_timeout", "idleness")
}

var formatsLater = map[string]*complaint{
	"json":         complain("publish the events as Avro: tidemark produce turns JSON lines into Avro", "format json is not built yet"),
	"bytes":        complain("publish the events as Avro", "format bytes is not built yet"),
	"protobuf":     complain("publish the events as Avro", "format protobuf is not built yet"),
	"json-schema":  complain("publish the events as Avro", "format json-schema is not built yet"),
	"avro-generic": complain("write avro for records with the Confluent header, avro-raw for records without", `"avro-generic" is not known here`),
}

var partitionersLater = func() map[string]*complaint {
	refused := make(map[string]*complaint)
	for _, name := range []string{"crc32", "fnv1a", "fnv-1a", "consistent", "consistent_random", "murmur3", "sarama", "librdkafka"} {
		refused[name] = complain("have the producers use Kafka's own partitioner (in librdkafka: partitioner=murmur2_random), and write murmur2",
			"partitioner %s is not built yet", name)
	}
	return refused
}()

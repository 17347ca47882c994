package pipeline

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkSources checks that there is one source or several, and each of them.
func (p *Pipeline) checkSources(fs *faultSet) {
	if len(p.Sources) > 0 {
		p.checkSourceNames(fs)
	} else if p.given("sources") && !p.given("source") {
		fs.add("sources", complain("write each source under a name of its own, as in sources: {bids: {topic: bids, ...}, auctions: {topic: auctions, ...}}", "names no source"))
		return
	}
	for _, s := range p.allSources() {
		p.checkSource(fs, s)
	}
}

func (p *Pipeline) checkSourceNames(fs *faultSet) {
	switch {
	case p.given("source") || p.Source.Topic != "":
		fs.add("source", complain("write source for one topic or sources for several; a source of sources has the same keys below its name", "both source and sources are given"))
	case len(p.Sources) == 1:
		fs.add("sources", complain("write its keys below source: fields then go by their own names", "names one source only"))
	case len(p.Sources) > sourcesMax:
		fs.add("sources", complain("split the pipeline", "a pipeline has at most %d sources, not %d", sourcesMax, len(p.Sources)))
	}
	for i, s := range p.Sources {
		var c *complaint
		switch {
		case !isName(s.Name):
			c = complain("use letters, digits and underscores, and no digit first: fields are called "+`bids.price`, "%q is no legal name", s.Name)
		case slices.Contains(celWords, s.Name):
			c = complain("choose another name", "%q is a word of the expression language", s.Name)
		case slices.ContainsFunc(p.Let, func(l Let) bool { return l.Name == s.Name }):
			c = complain("choose another name for one of them", "%q is the name of a let too", s.Name)
		case slices.ContainsFunc(p.Sources[:i], func(o NamedSource) bool { return o.Name == s.Name }):
			c = complain("give each a name of its own", "another source is named %q", s.Name)
		}
		if c != nil {
			fs.addKey(join("sources", s.Name), c)
		}
	}
}

func (p *Pipeline) checkSource(fs *faultSet, s sourceRef) {
	path := s.path + "."
	fs.required(path+"format", s.Format == "", "write avro for records with the Confluent header (0x00, schema id), avro-raw for plain Avro, json or protobuf")
	oneOf(fs, path+"format", s.Format, FormatAvro, FormatAvroRaw, FormatJSON, FormatProtobuf)
	p.checkSchemaRef(fs, s)
	fs.required(path+"event_time", s.EventTime == "", "name the field with the event's own time, a timestamp-millis or timestamp-micros")
	noRepeats(fs, path+"event_id", s.EventID)
	if len(s.Key) == 0 && s.name != "" {
		fs.required(path+"key", true, "name the fields by which the producers key the topic, as in key: [auction]: sources that meet must be partitioned alike")
	}
	noRepeats(fs, path+"key", s.Key)
	oneOf(fs, path+"partitioner", s.Partitioner, Murmur2)
	oneOf(fs, path+"start", s.Start, StartEarliest, StartLatest)
	s.Watermark.check(fs, path+"watermark.")
}

// checkSchemaRef checks that the keys of schema are those that go with the format.
func (p *Pipeline) checkSchemaRef(fs *faultSet, s sourceRef) {
	path, r := s.path+".schema", &s.Schema
	refuse := func(key, value, hint string) {
		if value != "" {
			fs.add(path+"."+key, complain(hint, "does not go with format %s", s.Format))
		}
	}
	const avro = "name the Avro schema of the records in file, or write format: "
	switch s.Format {
	case FormatAvro, FormatAvroRaw:
		refuse("json_schema", r.JSONSchema, avro+FormatJSON)
		refuse("descriptor", r.Descriptor, avro+FormatProtobuf)
		refuse("message", r.Message, avro+FormatProtobuf)
		if r.JSONSchema == "" && r.Descriptor == "" {
			fs.required(path+".file", r.File == "", "name the Avro schema of the records, as in schema: {file: ./flights.avsc}")
		}
	case FormatJSON:
		refuse("descriptor", r.Descriptor, "name a JSON Schema in json_schema, or write format: protobuf")
		refuse("message", r.Message, "leave it out, or write format: protobuf")
		switch {
		case r.JSONSchema != "" && r.File != "":
			fs.add(path+".file", complain("keep file for an Avro schema, or json_schema for a JSON Schema", "both json_schema and file are given"))
		case r.Descriptor == "":
			fs.required(path+".json_schema", r.JSONSchema == "" && r.File == "", "name a JSON Schema, as in schema: {json_schema: ./orders.json}, or an Avro schema with the same fields, as in {file: ./orders.avsc}")
		}
	case FormatProtobuf:
		refuse("file", r.File, "name what protoc --include_imports --descriptor_set_out writes in descriptor, and the message in message")
		refuse("json_schema", r.JSONSchema, "name what protoc --include_imports --descriptor_set_out writes in descriptor, or write format: json")
		if r.File == "" && r.JSONSchema == "" {
			fs.required(path+".descriptor", r.Descriptor == "", "name what protoc --include_imports --descriptor_set_out writes, as in schema: {descriptor: ./shop.binpb, message: shop.Order}")
		}
		fs.required(path+".message", r.Message == "", "name the message with its package, as in message: shop.Order")
		if m := strings.TrimPrefix(r.Message, "."); m != "" && (!isPath(m) || m != r.Message) {
			fs.add(path+".message", complain("write the package and the message, as in shop.Order", "%q is no name of a message", r.Message))
		}
	}
	if s.Format == "" || fs.seen[s.path+".format"] {
		fs.required(path, r.File == "" && r.JSONSchema == "" && r.Descriptor == "", "name the schema of the records, as in schema: {file: ./flights.avsc}")
	}
	switch {
	case s.Format == FormatAvro:
		fs.required(path+".ids", len(r.IDs) == 0, "with format avro list the registry's ids of the schema, as in ids: [7]; without a header write format: avro-raw")
	case s.Format == FormatAvroRaw && len(r.IDs) > 0:
		fs.add(path+".ids", complain("leave ids out, or write format: avro", "plain Avro records carry no schema id"))
	}
}

func (w *Watermark) check(fs *faultSet, path string) {
	between(fs, path+"max_out_of_orderness", w.MaxOutOfOrderness, 0, windowMax)
	between(fs, path+"max_future", w.MaxFuture, time.Millisecond, durationMax)
	fs.required(path+"confirm", w.Confirm == nil, "write how many further events confirm a jump of event time, as in 3")
	if w.Confirm != nil && (*w.Confirm < 0 || *w.Confirm > confirmMax) {
		fs.add(path+"confirm", complain("write a whole number from 0 to "+strconv.Itoa(confirmMax), "%d is out of range", *w.Confirm))
	}
	between(fs, path+"idle_after", w.IdleAfter, time.Millisecond, operationalMax)
	between(fs, path+"close_when_idle", w.CloseWhenIdle, 0, windowMax)
}

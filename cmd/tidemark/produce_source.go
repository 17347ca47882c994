package main

import (
	"cmp"
	"os"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// produced says how the records of a topic are written, and where: by the flags, or else by the pipeline that reads it.
func (a *app) produced(topic string, f *produceFlags) (schema.Source, kafka.Options, error) {
	options := kafka.Options{Brokers: a.brokers, Log: a.log}
	var ofPipeline *schema.Source
	if a.file != "" {
		plan, err := a.load()
		if err != nil {
			return schema.Source{}, options, err
		}
		if options, err = a.kafkaOf(plan.Pipeline); err != nil {
			return schema.Source{}, options, err
		}
		for i := range plan.Sources {
			s := &plan.Sources[i]
			if s.Topic != topic || f.schema+f.jsonSchema+f.descriptor != "" {
				continue
			}
			ofPipeline = &s.Source
			if len(f.key) == 0 {
				f.key = s.Spec.Key
			}
		}
	}
	if ofPipeline != nil {
		if f.as != "" || f.message != "" || f.wire != "plain" || f.schemaID != 0 {
			return schema.Source{}, options, usagef("produce: pipeline file %s says how the records of %s are written: leave --as, --message, --wire and --schema-id out, or name a schema", a.file, topic)
		}
		return *ofPipeline, options, f.check(options.Brokers)
	}
	source, err := f.source()
	if err == nil {
		err = f.check(options.Brokers)
	}
	if err == nil {
		err = f.read(&source)
	}
	return source, options, err
}

// source is the format by the flags, without the schema itself.
func (f *produceFlags) source() (schema.Source, error) {
	var named []string
	format := ""
	for _, s := range []struct{ flag, file, format string }{
		{"--schema", f.schema, "avro"}, {"--json-schema", f.jsonSchema, schema.FormatJSON}, {"--descriptor", f.descriptor, schema.FormatProtobuf},
	} {
		if s.file != "" {
			named, format = append(named, s.flag), s.format
		}
	}
	as := cmp.Or(f.as, format)
	switch {
	case len(named) == 0:
		return schema.Source{}, usagef("produce: say --schema F.avsc: the Avro schema of the records (or --json-schema F.json, or --descriptor F.pb --message NAME; or -f FILE of a pipeline that reads the topic)")
	case len(named) > 1:
		return schema.Source{}, usagef("produce: %s and %s: one of the two", named[0], named[1])
	case as != format && !(as == schema.FormatJSON && format == "avro"):
		return schema.Source{}, usagef("produce: --as %s with %s: records are avro by --schema, json by --json-schema or --schema, protobuf by --descriptor", f.as, named[0])
	case format == schema.FormatProtobuf && f.message == "":
		return schema.Source{}, usagef("produce: --descriptor needs --message, the full name of the message, as in shop.Order")
	case format != schema.FormatProtobuf && f.message != "":
		return schema.Source{}, usagef("produce: --message belongs to --descriptor")
	}
	s := schema.Source{Format: as, Message: f.message}
	if f.wire == "confluent" {
		s.Wire = schema.Wire{Confluent: true, IDs: []uint32{f.schemaID}}
	} else if as == "avro" {
		s.Format = schema.FormatAvroRaw
	}
	return s, nil
}

// read reads the schema and says what is wrong with it.
func (f *produceFlags) read(s *schema.Source) error {
	file := cmp.Or(f.schema, f.jsonSchema, f.descriptor)
	text, err := os.ReadFile(file)
	if err != nil {
		return usagef("produce: read the schema: %w", err)
	}
	s.Schema = text
	if _, err := s.Shape(); err != nil {
		return usagef("produce: %s: %w", file, err)
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/infer"
	"github.com/tidemark-io/tidemark/cmd/internal/registry"
	"github.com/tidemark-io/tidemark/schema"
)

type initFlags struct {
	topic, schema, message, registry string
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:   "init --topic T --schema F | --topic T --registry URL",
		Short: "Print a first pipeline file for a topic, inferred from the schema of its records",
		Long: "Guesses from the schema which field is the event time, what identifies an event, by what to group and what to\n" +
			"compute, and prints a pipeline file in which each line says why it is as it is. The file is sound as it is\n" +
			"printed; save it and go on from there:\n\n" +
			"  tidemark init --topic orders --schema orders.avsc > orders.yaml\n" +
			"  tidemark init --topic orders --registry http://localhost:8081 > orders.yaml\n\n" +
			"A schema is Avro (.avsc), a JSON Schema, or, with --message, a Protobuf descriptor set as\n" +
			"protoc --include_imports --descriptor_set_out writes it. From a registry, the newest schema of TOPIC-value is\n" +
			"saved beside the pipeline, as TOPIC.avsc or TOPIC.schema.json.",
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	flags.StringVar(&f.topic, "topic", "", "the topic (required)")
	flags.StringVar(&f.schema, "schema", "", "file of the records' schema")
	flags.StringVar(&f.message, "message", "", "full name of the message, with a Protobuf descriptor set")
	flags.StringVar(&f.registry, "registry", "", "address of a schema registry with Confluent's API")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		o, err := a.initOptions(ctx, &f)
		if err != nil {
			return err
		}
		inferred, err := infer.File(*o)
		if errors.Is(err, infer.ErrNoTime) {
			return fmt.Errorf("init: %s: %w", o.From, err)
		}
		if err != nil {
			return fmt.Errorf("init: %w", err)
		}
		if a.output == "json" {
			return a.result("InferredPipeline", inferred, nil)
		}
		if _, err := io.WriteString(a.out, inferred.Text); err != nil {
			return fmt.Errorf("write the pipeline file: %w", err)
		}
		return nil
	})
	return c
}

// schemaBytesMax bounds a schema file.
const schemaBytesMax = 4 << 20

func (a *app) initOptions(ctx context.Context, f *initFlags) (*infer.Options, error) {
	switch {
	case f.topic == "":
		return nil, usagef("init: say --topic T: the topic that the pipeline reads")
	case a.file != "":
		return nil, usagef("init: -f is of no use here: the file is printed; save it with > %s", a.file)
	case (f.schema == "") == (f.registry == ""):
		return nil, usagef("init: say where the schema is: --schema F, or --registry URL")
	case f.message != "" && f.schema == "":
		return nil, usagef("init: --message belongs to --schema with a Protobuf descriptor set")
	}
	o := &infer.Options{Topic: f.topic, Brokers: a.brokers}
	if len(o.Brokers) == 0 {
		o.Brokers = []string{"localhost:9092"}
	}
	var err error
	if f.registry != "" {
		err = registered(ctx, f, o)
	} else {
		err = schemaFile(f, o)
	}
	return o, err
}

// schemaFile takes the schema from a file, whose contents say of what kind it is.
func schemaFile(f *initFlags, o *infer.Options) error {
	text, err := readSchema(f.schema)
	if err != nil {
		return usagef("init: %w", err)
	}
	o.File, o.From, o.Source.Schema = f.schema, f.schema, text
	if !filepath.IsAbs(o.File) {
		o.File = "./" + filepath.ToSlash(filepath.Clean(o.File))
	}
	var top struct {
		Type any `json:"type"`
	}
	isJSON := json.Unmarshal(text, &top) == nil
	switch {
	case f.message != "" && isJSON:
		return usagef("init: --schema %s is JSON, and --message belongs to a Protobuf descriptor set: leave --message out", f.schema)
	case f.message != "":
		o.Kind, o.Source.Format, o.Source.Message = "descriptor", schema.FormatProtobuf, f.message
	case isJSON && top.Type == "record":
		o.Kind, o.Source.Format = "file", schema.FormatAvroRaw
	case isJSON:
		o.Kind, o.Source.Format = "json_schema", schema.FormatJSON
	default:
		return usagef("init: --schema %s is no JSON: an Avro or JSON schema is; of a Protobuf descriptor set say --message NAME too", f.schema)
	}
	if _, err := o.Source.Shape(); err != nil {
		return usagef("init: --schema %s: %w", f.schema, err)
	}
	return nil
}

func readSchema(name string) ([]byte, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(in, schemaBytesMax+1))
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	if len(text) > schemaBytesMax {
		return nil, fmt.Errorf("read the schema: %s has more than %d bytes", name, schemaBytesMax)
	}
	return text, nil
}

// registered takes the schema from a registry, and saves it where the pipeline file will look for it.
func registered(ctx context.Context, f *initFlags, o *infer.Options) error {
	latest, err := registry.Value(ctx, f.registry, f.topic)
	if errors.Is(err, registry.ErrAddress) {
		return usagef("init: --registry %s: %w", f.registry, err)
	}
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	o.Source.Schema = []byte(latest.Schema)
	o.Source.Wire = schema.Wire{Confluent: true, IDs: []uint32{latest.ID}}
	o.From = fmt.Sprintf("version %d of subject %s", latest.Version, latest.Subject)
	name := f.topic
	switch latest.Type {
	case "AVRO":
		o.Kind, o.Source.Format, name = "file", schema.FormatAvro, name+".avsc"
	case "JSON":
		o.Kind, o.Source.Format, name = "json_schema", schema.FormatJSON, name+".schema.json"
	case "PROTOBUF":
		return usagef("init: subject %s holds Protobuf as text, and a pipeline needs a descriptor: protoc --include_imports --descriptor_set_out=%s.desc FILE.proto, then --schema %s.desc --message NAME",
			latest.Subject, f.topic, f.topic)
	default:
		return fmt.Errorf("init: subject %s holds a schema of the unknown type %q", latest.Subject, latest.Type)
	}
	if _, err := o.Source.Shape(); err != nil {
		return fmt.Errorf("init: subject %s, version %d: %w", latest.Subject, latest.Version, err)
	}
	if filepath.Base(name) != name {
		return usagef("init: --topic %s can't be the name of a file", f.topic)
	}
	o.File = "./" + name
	have, err := os.ReadFile(name)
	switch {
	case err == nil && bytes.Equal(have, o.Source.Schema):
		return nil
	case err == nil:
		return usagef("init: %s is there already, with another schema: move it away, or say --schema %s", name, name)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("init: %w", err)
	}
	if err := os.WriteFile(name, o.Source.Schema, 0o644); err != nil {
		return fmt.Errorf("init: save the schema: %w", err)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/feed"
	"github.com/tidemark-io/tidemark/cmd/internal/progress"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

type produceFlags struct {
	schema, jsonSchema, descriptor, message string
	as                                      string
	key                                     []string
	input                                   string
	partitions                              int32
	wire                                    string
	schemaID                                uint32
	fromLine                                int64
	make                                    bool // --partitions was given
}

func (a *app) produceCommand() *cobra.Command {
	var f produceFlags
	c := &cobra.Command{
		Use:   "produce TOPIC [--schema F.avsc [--key FIELD] | -f FILE] [--input F.jsonl]",
		Short: "Send JSON lines to a topic as Avro, JSON or Protobuf records, in their order",
		Long: "Sends each line, one JSON object, as a record: Avro with --schema, JSON with --json-schema, Protobuf with\n" +
			"--descriptor and --message. With -f FILE and none of them, as the source of the pipeline that reads the topic says,\n" +
			"and by its key. A key picks the partition by murmur2 of its text, as Kafka's own producers do. A topic that doesn't\n" +
			"exist is made, with --partitions, and keeps its records for ever (retention.ms=-1).",
		Args: oneArgument("topic"),
	}
	c.RunE = a.command(func(ctx context.Context, args []string) error {
		f.make = c.Flags().Changed("partitions")
		return a.produce(ctx, args[0], f)
	})
	flags := c.Flags()
	flags.StringVar(&f.schema, "schema", "", "the Avro schema of the records")
	flags.StringVar(&f.jsonSchema, "json-schema", "", "the JSON Schema of the records, which are JSON")
	flags.StringVar(&f.descriptor, "descriptor", "", "the FileDescriptorSet of the records, which are Protobuf: protoc --include_imports --descriptor_set_out")
	flags.StringVar(&f.message, "message", "", "the full name of the message, with --descriptor")
	flags.StringVar(&f.as, "as", "", "avro, json or protobuf, if the schema's flag doesn't say it: --schema with --as json is JSON by an Avro schema")
	flags.StringSliceVar(&f.key, "key", nil, "field whose text is the record's key; several: --key a,b")
	flags.StringVar(&f.input, "input", "-", "file of JSON lines; - is standard input")
	flags.Int32Var(&f.partitions, "partitions", 0, "partitions of the topic, if it has to be made")
	flags.StringVar(&f.wire, "wire", "plain", "plain records, or confluent: behind a header with --schema-id")
	flags.Uint32Var(&f.schemaID, "schema-id", 0, "the schema's id, with --wire confluent")
	flags.Int64Var(&f.fromLine, "from-line", 1, "first line to send, to go on after a line that had to be mended")
	return c
}

func (f *produceFlags) check(brokers []string) error {
	switch {
	case len(brokers) == 0:
		return usagef("produce: say --brokers HOST:PORT, or -f FILE for those of a pipeline")
	case f.wire != "plain" && f.wire != "confluent":
		return usagef("produce: --wire %s: say plain or confluent", f.wire)
	case f.wire == "confluent" && f.schemaID == 0:
		return usagef("produce: --wire confluent needs --schema-id, the id of the schema in its registry")
	case f.wire == "plain" && f.schemaID != 0:
		return usagef("produce: --schema-id belongs to --wire confluent")
	case f.make && f.partitions < 1:
		return usagef("produce: --partitions %d: say a number above 0", f.partitions)
	case f.fromLine < 1:
		return usagef("produce: --from-line %d: lines count from 1", f.fromLine)
	}
	return nil
}

func (a *app) produce(ctx context.Context, topic string, f produceFlags) error {
	source, options, err := a.produced(topic, &f)
	if err != nil {
		return err
	}
	if err := feed.CheckKey(source, f.key); err != nil {
		return usagef("produce: --key %s: %w", strings.Join(f.key, ","), err)
	}
	input, bytes, err := a.openInput(f.input)
	if err != nil {
		return err
	}
	defer input.Close()
	partitions, err := ensureTopic(ctx, options, topic, f.partitions)
	if err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	bar := a.progress("producing to "+topic+" (bytes)", bytes)
	defer bar.End()
	report, err := send(ctx, options, input, feed.Options{
		Source: source, Topic: topic, Partitions: partitions, Key: f.key, Name: f.input, FromLine: f.fromLine, Progress: bar.Set,
	})
	if err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	bar.End()
	return a.result("ProduceReport", report, func(p *printer) {
		p.line("sent %s to %s", plural(report.Sent, "record", "records"), topic)
		for _, r := range report.Ranges {
			p.line("  %s/%d  offsets %d..%d  %s", topic, r.Partition, r.First, r.Last, plural(r.Sent, "record", "records"))
		}
	})
}

// send makes a producer, feeds it, and ends it.
func send(ctx context.Context, options kafka.Options, input io.Reader, o feed.Options) (*feed.Report, error) {
	producer, err := kafka.NewProducer(options)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	return feed.Feed(ctx, input, producer, o)
}

// openInput opens a file, or standard input for "-". The size is 0 when it isn't known.
func (a *app) openInput(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(a.in), 0, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, usagef("open the input: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("look at the input: %w", err), file.Close())
	}
	if info.IsDir() {
		return nil, 0, errors.Join(usagef("open the input: %s is a directory: name a file of JSON lines, or - for standard input", name), file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, 0, nil
	}
	return file, info.Size(), nil
}

// ensureTopic makes the topic unless it is there, and gives its number of partitions. Its records never expire: they
// may be older than any retention, and nothing but the lake keeps another copy.
func ensureTopic(ctx context.Context, options kafka.Options, topic string, partitions int32) (int32, error) {
	admin, err := kafka.NewAdmin(options)
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	info, err := admin.Topic(ctx, topic)
	switch {
	case errors.Is(err, kafka.ErrNoTopic) && partitions == 0:
		return 0, fmt.Errorf("there is no topic %s: say --partitions N to make it", topic)
	case errors.Is(err, kafka.ErrNoTopic):
		return partitions, admin.EnsureTopic(ctx, kafka.TopicSpec{
			Name: topic, Partitions: partitions, Configs: map[string]string{"retention.ms": "-1"},
		})
	case err != nil:
		return 0, err
	case partitions > 0 && info.Partitions != partitions:
		return 0, usagef("topic %s has %d partitions, not %d: leave --partitions out, or name another topic", topic, info.Partitions, partitions)
	}
	return info.Partitions, nil
}

// progress starts to show a step on stderr.
func (a *app) progress(label string, total int64) *progress.Bar {
	return progress.Start(progress.Options{
		W: a.err, Terminal: isTerminal(a.err), Quiet: a.quiet, Label: label, Total: total, Now: a.now,
	})
}

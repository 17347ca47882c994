package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/cmd/internal/broker"
)

const readingsSchema = `{"type":"record","name":"Reading","namespace":"weather","fields":[
 {"name":"station","type":"string"},
 {"name":"number","type":"long"},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"celsius","type":["null","double"],"default":null}]}`

const readingsPipeline = `apiVersion: tidemark/v1
pipeline: weather
kafka: {brokers: ["${TEST_BROKERS}"]}
source:
  topic: readings
  format: avro-raw
  schema: {file: ./readings.avsc}
  event_id: [station, number]
  event_time: at
  key: [station]
let:
  frost: celsius < 0.0
outputs:
  - name: hourly
    group_by: [station]
    window: {tumbling: 1h}
    aggregate:
      readings: count()
      coldest: min(celsius)
      mean: mean(celsius)
    topic: {partitions: 2, replication: 1}
lake: {bucket: file://./lake}
reconcile: {settle: 0s, guard: {max_changed_windows: 10%, else: hold}}
state: {dir: ./state}
`

// A second output, for two.yaml.
const readingsDaily = `  - name: daily
    group_by: [station]
    window: {tumbling: 24h}
    aggregate: {readings: count()}
    topic: {partitions: 2, replication: 1}
`

// The readings: in order for four hours, one sent twice, one two hours late, one without a temperature.
const readingsLines = `{"station":"oslo","number":1,"at":"2013-01-09T10:05:00Z","celsius":-4.5}
{"station":"oslo","number":2,"at":"2013-01-09T10:25:00Z","celsius":-4.25}
{"station":"rome","number":1,"at":"2013-01-09T10:30:00Z","celsius":9}
{"station":"oslo","number":2,"at":"2013-01-09T10:25:00Z","celsius":-4.25}
{"station":"oslo","number":3,"at":"2013-01-09T11:05:00Z","celsius":null}
{"station":"rome","number":2,"at":"2013-01-09T11:30:00Z","celsius":10.5}
{"station":"oslo","number":4,"at":"2013-01-09T12:05:00Z","celsius":-3}
{"station":"rome","number":3,"at":"2013-01-09T12:30:00Z","celsius":11}
{"station":"oslo","number":5,"at":"2013-01-09T13:05:00Z","celsius":-2.5}
{"station":"rome","number":4,"at":"2013-01-09T13:30:00Z","celsius":11.5}
{"station":"oslo","number":6,"at":"2013-01-09T10:45:00Z","celsius":-5}
`

// What differs from run to run, and what stands for it in the golden file.
var varying = []struct {
	find *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<now>"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:<hash>"},
	{regexp.MustCompile(`"sha256":"[0-9a-f]{64}"`), `"sha256":"<hash>"`},
	{regexp.MustCompile(`-[0-9a-f]{16}\.avro`), "-<hash>.avro"},
	{regexp.MustCompile(`(plan |--approve |"id":"|"plan_id":")[0-9a-f]{6}\b`), "$1<plan>"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "<fingerprint>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "<addr>"},
	{regexp.MustCompile(`\d+\.\d CPU-s`), "<n> CPU-s"},
	{regexp.MustCompile(`\d[\d.,]* +([KMG]iB|bytes?)`), "<size>"},
	{regexp.MustCompile(`"bytes":\d+`), `"bytes":"<size>"`},
	{regexp.MustCompile(`"topic_id":"[^"]+"`), `"topic_id":"<id>"`},
	{regexp.MustCompile(`"_run":"[^"]+"`), `"_run":"<run>"`},
}

func steady(text string) string {
	for _, v := range varying {
		text = v.find.ReplaceAllString(text, v.with)
	}
	return text
}

// The commands one after another, as a user would type them, on the embedded broker: what they print and how they exit.
func TestCommandsOneAfterAnother(t *testing.T) {
	b := weather(t)
	plan := ""
	datadriven.RunTest(t, filepath.Join(testdata(t), "commands"), func(t *testing.T, d *datadriven.TestData) string {
		line := strings.ReplaceAll(strings.TrimSpace(d.Input), "$BROKERS", b.Addr())
		line = strings.ReplaceAll(line, "$PLAN", plan)
		line = strings.ReplaceAll(line, "$FILE", lakeFile(t, "readings/dt=2013-01-09/hr=10"))
		stdin := ""
		if d.HasArg("stdin") {
			stdin = readingsLines
		}
		r := tidemarkIn(t.Context(), t, stdin, strings.Fields(line)...)
		if found := regexp.MustCompile(`reconcile plan ([0-9a-f]{6})`).FindStringSubmatch(r.out); found != nil {
			plan = found[1]
		}
		return steady(fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.err))
	})
}

// weather starts an embedded broker and puts the pipeline's files into the working directory, a new one.
func weather(t *testing.T) *broker.Broker {
	t.Helper()
	dir := t.TempDir()
	b, err := broker.Start(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TEST_BROKERS", b.Addr())
	for name, text := range map[string]string{
		"readings.avsc": readingsSchema, "pipeline.yaml": readingsPipeline, "readings.jsonl": readingsLines,
		"two.yaml":     strings.Replace(readingsPipeline, "lake:", readingsDaily+"lake:", 1),
		"small.yaml":   strings.Replace(readingsPipeline, "state: {dir: ./state}", "state: {dir: ./state, memory_max: 64MiB}", 1),
		"broken.jsonl": readingsLines[:strings.Index(readingsLines, "\n")+1] + "{\"station\":\"oslo\"}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return b
}

// lakeFile is the path of the first file of an hour, as lake ls prints it.
func lakeFile(t *testing.T, hour string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("lake", "raw", hour, "*.avro"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return "none"
	}
	path, err := filepath.Rel("lake", found[0])
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(path)
}

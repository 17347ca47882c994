package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// almostGood is a pipeline file with one fault. (Those files have a golden file of their own, in stream/pipeline.)
const almostGood = `apiVersion: tidemark/v1
pipeline: p
kafka: {brokers: [localhost:1]}
source: {topic: t, format: avro-raw, schema: {file: ./good.avsc}, event_time: at, key: [city]}
outputs:
  - {name: out, group_by: [city], window: {tumbling: 1h}, aggregate: {n: count()}}
lak: {bucket: "mem://x"}
`

// Command lines that are wrong, and what is said about them. Nothing is on stdout, the code is 2, and nothing was touched.
func TestUsage(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.avsc": `{"type":"record","name":"E","fields":[{"name":"city","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}`,
		"bad.avsc":  `{"type":"record","name":"E"`,
		"bad.yaml":  almostGood,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	datadriven.RunTest(t, filepath.Join(testdata(t), "usage"), func(t *testing.T, d *datadriven.TestData) string {
		var all strings.Builder
		for line := range strings.Lines(d.Input) {
			args := strings.Fields(line)
			if len(args) > 0 && args[0] == "tidemark" {
				args = args[1:]
			}
			for i, arg := range args {
				if arg == `""` {
					args[i] = ""
				}
			}
			r := tidemark(t, args...)
			fmt.Fprintf(&all, "exit %d\n%s%s", r.code, r.out, r.err)
		}
		return all.String()
	})
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 3 {
		t.Errorf("wrong command lines left files behind: %v", left)
	}
}

var packageDir = func() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}()

// testdata is the folder of golden files, whatever the working directory is now.
func testdata(t *testing.T) string {
	t.Helper()
	return filepath.Join(packageDir, "testdata")
}

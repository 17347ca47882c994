package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

const readingsFixture = `pipeline: pipeline.yaml
cases:
  - name: the coldest of an hour   # a comment
    given:
      - {station: oslo, number: 1, at: 2013-01-09T10:05:00Z, celsius: -4.5}
      - {station: oslo, number: 2, at: 2013-01-09T10:25:00Z, celsius: -4.25}
      - {station: oslo, number: 2, at: 2013-01-09T10:25:00Z, celsius: -4.25}
      - end
    expect:
      rows: [{station: oslo, window_start: 2013-01-09T10:00:00Z, readings: 2, coldest: -4.5}]
      duplicate: 1
  - name: a reading that comes too late
    partitions: 2
    given:
      - {station: oslo, number: 1, at: 2013-01-09T10:05:00Z, celsius: -4.5}
      - advance: 2013-01-09T11:00:00Z
      - {station: oslo, number: 6, at: 2013-01-09T10:45:00Z, celsius: -5}
    expect:
      rows: [{station: oslo, readings: 1}]
      reconciled: [{station: oslo, readings: 2, coldest: -5}]
      late: 1
`

// The commands for developing a pipeline, in the order in which one would need them: init, test, then replay and lateness
// on what a run has put into the lake.
func TestToolsOneAfterAnother(t *testing.T) {
	b := weather(t)
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/subjects/readings-value/versions/latest" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"subject":"readings-value","version":2,"id":7,"schema":%q}`, readingsSchema)
	}))
	defer registry.Close()
	for name, text := range map[string]string{
		"pipeline_test.yaml":     readingsFixture,
		"wrong/wrong_test.yaml":  strings.NewReplacer("pipeline.yaml", "../pipeline.yaml", "readings: 2, coldest: -4.5", "readings: 3, coldest: -4.25", "late: 1", "").Replace(readingsFixture),
		"faulty/bad_test.yaml":   strings.NewReplacer("pipeline.yaml", "../pipeline.yaml", "celsius: -5}", "celsuis: -5}", "late:", "lat:").Replace(readingsFixture),
		"faulty/worse_test.yaml": "pipeline: nowhere.yaml\ncases: []\n",
		"notime.avsc":            `{"type":"record","name":"E","fields":[{"name":"at","type":"long"}]}`,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	datadriven.RunTest(t, filepath.Join(testdata(t), "tools"), func(t *testing.T, d *datadriven.TestData) string {
		line := strings.NewReplacer("$BROKERS", b.Addr(), "$REGISTRY", registry.URL).Replace(strings.TrimSpace(d.Input))
		if d.Cmd == "show" {
			text, err := os.ReadFile(line)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		r := tidemark(t, strings.Fields(line)...)
		var save string
		if d.MaybeScanArgs(t, "save", &save) {
			if err := os.WriteFile(save, []byte(r.out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return steady(fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.err))
	})
}

// Every example is a pipeline that validates, and its fixtures pass.
func TestExamples(t *testing.T) {
	examples := filepath.Join(packageDir, "..", "..", "examples")
	r := must(t, exitOK, "test", examples)
	pipelines, err := filepath.Glob(filepath.Join(examples, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pipelines {
		if strings.HasSuffix(name, "_test.yaml") {
			continue
		}
		must(t, exitOK, "validate", "-f", name)
		if !strings.Contains(r.out, strings.TrimSuffix(name, ".yaml")+"_test.yaml") {
			t.Errorf("%s has no fixture", name)
		}
	}
}

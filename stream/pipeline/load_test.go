package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func testEnv(name string) (string, bool) {
	value, ok := map[string]string{
		"MORE_BROKERS":   "kafka-2:9093, kafka-3:9093",
		"KAFKA_PASSWORD": "hunter2",
		"BAD_BROKER":     "hunter2-no-port",
		"BAD_BUCKET":     "ftp://hunter2/x",
		"EMPTY":          "",
	}[name]
	return value, ok
}

func load(t *testing.T, file string) *Pipeline {
	t.Helper()
	p, err := Load(file, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compile(t *testing.T, p *Pipeline) *Plan {
	t.Helper()
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestGood compares what is read of a file with every key, and what is filled in for one with as few as possible, with
// golden files. Both compile (invariant 4).
func TestGood(t *testing.T) {
	for _, name := range []string{"complete", "minimal", "windows", "join", "enrich", "cogroup", "orders"} {
		t.Run(name, func(t *testing.T) {
			p := load(t, "testdata/good/"+name+".yaml")
			plan := compile(t, p)
			settings, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			fmt.Fprintf(&b, "%s\n\n%v, rekeyed %v, rules %v\n", settings, plan.Shape, plan.Rekeyed, plan.RuleNames)
			for _, s := range plan.Sources {
				fmt.Fprintf(&b, "%s: fields read %v\nrow %v\n%+v\n%+v\n", s.Topic, s.FieldsRead, s.Reader.Fields(), s.Wire, s.Watermark)
			}
			for i, o := range plan.Outputs {
				fmt.Fprintf(&b, "%s size %d lateness %d group %v\n", o.Name, o.Size, o.Lateness, plan.GroupFields[i])
				for _, a := range o.Aggs {
					fmt.Fprintf(&b, "  %s = %s(argument %d: %s) gives %s\n", a.Name, a.Func, a.Arg, a.In, a.Result())
				}
			}
			compareGolden(t, "testdata/good/"+name+".golden", b.String())
		})
	}
}

func TestNames(t *testing.T) {
	p := load(t, "testdata/good/minimal.yaml")
	if p.JournalTopic() != "flights-journal" || p.Group() != "flights" || p.TransactionalID("a") != "flights-a" {
		t.Errorf("journal %s, group %s, transactional id %s", p.JournalTopic(), p.Group(), p.TransactionalID("a"))
	}
	if got := p.Path("./state"); got != "testdata/good/state" {
		t.Errorf("relative paths start from the pipeline file: %s", got)
	}
	if got := p.Path("/state"); got != "/state" {
		t.Errorf("absolute paths stay: %s", got)
	}
}

// TestSecretsDoNotShow in any way of printing a Pipeline (invariant 3).
func TestSecretsDoNotShow(t *testing.T) {
	p := load(t, "testdata/good/complete.yaml")
	if got := p.Kafka.SASL.Password.Reveal(); got != "hunter2" {
		t.Fatalf("the password is %q", got)
	}
	asJSON, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	secret := p.Kafka.SASL.Password
	for _, text := range []string{string(asJSON), fmt.Sprint(*p.Kafka.SASL), fmt.Sprintf("%+v %#v", *p.Kafka.SASL, *p.Kafka.SASL),
		fmt.Sprintf("%s %q %x %v", secret, secret, secret, secret), fmt.Sprintf("%+v", *p)} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("shows the password: %s", text)
		}
	}
}

// TestFileSecret: one line end behind a secret is the editor's, and isn't part of it.
func TestFileSecret(t *testing.T) {
	file := t.TempDir() + "/password"
	for content, want := range map[string]string{"hunter2": "hunter2", "hunter2\n": "hunter2", "hunter2\r\n": "hunter2", "hunter2\n\n": "hunter2\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		l := &loader{env: testEnv}
		if got, c := l.substitute("${file:" + file + "}"); c != nil || got != want {
			t.Errorf("%q is read as %q, want %q, %v", content, got, want, c)
		}
	}
	if err := os.WriteFile(file, make([]byte, secretBytesMax+1), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &loader{env: testEnv}
	if _, c := l.substitute("${file:" + file + "}"); c == nil || !strings.Contains(c.msg, "more than") {
		t.Errorf("a huge file is read: %v", c)
	}
}

func TestLoadOfNoFile(t *testing.T) {
	_, err := Load("testdata/no-such.yaml", testEnv)
	var faults Faults
	if err == nil || errors.As(err, &faults) || !strings.Contains(err.Error(), "read pipeline file testdata/no-such.yaml") {
		t.Errorf("error is %v", err)
	}
}

// TestPipelineMadeInGo: defaults are filled in and faults found without a file.
func TestPipelineMadeInGo(t *testing.T) {
	p := &Pipeline{
		Name: "flights", Dir: "testdata/good", Kafka: Kafka{Brokers: []string{"localhost:9092"}},
		Source: Source{Topic: "flights", Format: FormatAvroRaw, Schema: SchemaRef{File: "../flights.avsc"}, EventTime: "scheduled_departure", Key: []string{"origin"}},
		Outputs: []Output{{Name: "departures-hourly", GroupBy: []string{"origin"}, Window: Window{Tumbling: time.Hour},
			Aggregate: []Aggregate{{Name: "flights", Call: "count()"}}}},
	}
	if err := p.Validate(); err == nil {
		t.Error("valid without defaults")
	}
	p.EnsureDefaults()
	if got, want := compile(t, p).Fingerprint, compile(t, load(t, "testdata/good/minimal.yaml")).Fingerprint; got != want {
		t.Errorf("fingerprint %s, that of the same in a file is %s", got, want)
	}
	p.Kafka.Brokers[0] = "localhost"
	p.Source.Partitioner = "crc32"
	p.Outputs[0].Window.Tumbling = time.Microsecond
	p.Outputs[0].Aggregate = []Aggregate{{Name: "x", Call: "sum(distance_km +)"}, {Name: "x", Call: "count()"}}
	p.Reconcile.Guard.MaxChange = map[string]float64{"x": -1}
	want := `outputs[0].window.tumbling: 1µs is out of range (write more than 0, and at most 366d)
outputs[0].aggregate.x: "x" is already the name of another aggregate in the curated record (choose another name)
kafka.brokers[0]: "localhost" is no address (write host:port, as in localhost:9092)
source.partitioner: "crc32" is not known here (write murmur2)
outputs[0].aggregate.x: the expression ends too early (expressions are written in CEL, as in delay != null && delay > 60.0)
reconcile.guard.max_change.x: is out of range (write a share of the total before, from 0% to 100000%)`
	err := p.Validate()
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error is %v", err)
	}
	for _, line := range strings.Split(want, "\n") {
		if !strings.Contains(faults.Error()+"\n", line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if len(faults) != 6 {
		t.Errorf("faults:\n%v", faults)
	}
}

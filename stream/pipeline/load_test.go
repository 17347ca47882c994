package pipeline

import (
	"testing"
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

func TestGood(t *testing.T) {
	for _, name := range []string{"complete", "minimal"} {
		p, err := Load("testdata/good/"+name+".yaml", testEnv)
		if err != nil {
			t.Fatalf("%s:\n%v", name, err)
		}
		plan, err := p.Compile()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v %s", plan.Outputs, plan.Fingerprint)
	}
}

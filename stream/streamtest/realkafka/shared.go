package realkafka

import (
	"sync"
	"testing"
)

// shared is the test binary's one broker. It is package state because a test binary has no
// other place that outlives a test.
var shared struct {
	sync.Mutex
	broker *Broker
	failed string
}

// Runner runs tests: *testing.M does.
type Runner interface{ Run() int }

type tests struct{ m Runner }

// Tests wraps m: when its tests have run, the shared broker is stopped. The result fits goleak.VerifyTestMain.
func Tests(m Runner) Runner { return tests{m} }

// Main runs a test binary's tests, stops the shared broker and returns the exit code.
func Main(m *testing.M) int { return Tests(m).Run() }

func (t tests) Run() int {
	code := t.m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.broker != nil {
		shared.broker.kill()
		shared.broker.clean(code != 0)
		shared.broker = nil
	}
	return code
}

// Shared is the test binary's one broker, started by the first caller. Tests keep apart by their topic and group
// names, and must not stop it.
func Shared(t testing.TB) *Broker {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.failed != "" {
		t.Fatalf("the shared Kafka broker did not start: %s", shared.failed)
	}
	if shared.broker == nil {
		b, err := start(Options{})
		if err != nil {
			shared.failed = err.Error()
			t.Fatalf("start Kafka: %v", err)
		}
		shared.broker = b
	}
	return shared.broker
}

package realkafka

import (
	"bufio"
	"bytes"
	"strings"
	"syscall"
	"testing"
	"time"
)

// How long the console consumer may take to its first record, joining its group included, and how long after one
// the next may take before it has seen all. Both are only waited for in full when there is nothing to read.
const (
	consoleFirst = 30 * time.Second
	consoleIdle  = 3 * time.Second
)

// ConsoleConsumer runs Kafka's own console consumer, read_committed, over the whole topic until nothing more
// comes, and returns what it prints, a line a record. Further arguments are Kafka's; for binary values:
// "--property", "value.deserializer=org.apache.kafka.common.serialization.BytesDeserializer" (prints \x escapes).
func (b *Broker) ConsoleConsumer(t testing.TB, topic string, args ...string) string {
	t.Helper()
	cmd := b.command("org.apache.kafka.tools.consumer.ConsoleConsumer", append([]string{
		"--bootstrap-server", b.Addr(), "--topic", topic, "--from-beginning", "--isolation-level", "read_committed",
	}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("console consumer: %v", err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("console consumer: %v", err)
	}
	idle := time.AfterFunc(consoleFirst, func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Logf("end the console consumer: %v", err)
		}
	})
	defer idle.Stop()
	var out strings.Builder
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadString('\n')
		out.WriteString(line)
		if err != nil {
			break
		}
		idle.Reset(consoleIdle)
	}
	// The exit code is that of a signal; whether it worked shows in its own count.
	if err := cmd.Wait(); !strings.Contains(log.String(), "Processed a total of") {
		t.Fatalf("console consumer of %s: %v\n%s", topic, err, log.Bytes())
	}
	return out.String()
}

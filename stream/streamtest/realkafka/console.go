package realkafka

import (
	"bytes"
	"testing"
)

// ConsoleConsumer runs Kafka's own console consumer, read_committed, over the whole topic until nothing more comes for
// three seconds, and returns what it prints, a line a record. Further arguments are Kafka's; for binary values:
// "--property", "value.deserializer=org.apache.kafka.common.serialization.BytesDeserializer" (prints \x escapes).
func (b *Broker) ConsoleConsumer(t testing.TB, topic string, args ...string) string {
	t.Helper()
	cmd := b.command("org.apache.kafka.tools.consumer.ConsoleConsumer", append([]string{
		"--bootstrap-server", b.Addr(), "--topic", topic, "--from-beginning",
		"--isolation-level", "read_committed", "--timeout-ms", "3000",
	}, args...)...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("console consumer of %s: %v\n%s", topic, err, log.Bytes())
	}
	return out.String()
}

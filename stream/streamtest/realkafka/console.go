package realkafka

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
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
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewReader(stdout); ; {
			line, err := in.ReadString('\n')
			lines <- line
			if err != nil {
				return
			}
		}
	}()
	out := collect(t, cmd.Process, lines)
	// The exit code is that of a signal; whether it worked shows in its own count.
	if err := cmd.Wait(); !strings.Contains(log.String(), "Processed a total of") {
		t.Fatalf("console consumer of %s: %v\n%s", topic, err, log.Bytes())
	}
	return out
}

// collect takes lines until there are no more, and asks the process to end when it has been idle for long enough.
func collect(t testing.TB, from *os.Process, lines <-chan string) string {
	t.Helper()
	var out strings.Builder
	for wait := consoleFirst; ; wait = consoleIdle {
		idle, cancel := context.WithTimeout(context.Background(), wait)
		select {
		case line, more := <-lines:
			cancel()
			if !more {
				return out.String()
			}
			out.WriteString(line)
		case <-idle.Done():
			cancel()
			if err := from.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatalf("end the console consumer: %v", err)
			}
		}
	}
}

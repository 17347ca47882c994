// Package realkafka runs a real Kafka broker for tests.
package realkafka

import "testing"

// Broker is a running Kafka broker.
type Broker struct{}

// Main runs a test binary's tests and stops the shared broker; it returns the exit code.
func Main(m *testing.M) int { panic("not yet") }

// Shared is the test binary's one broker, started by the first caller.
func Shared(t testing.TB) *Broker { panic("not yet") }

// Start starts a broker of the test's own; it is stopped with the test.
func Start(t testing.TB) *Broker { panic("not yet") }

// Addr is the broker's address, host:port.
func (b *Broker) Addr() string { panic("not yet") }

// Stop ends the broker in an orderly way.
func (b *Broker) Stop(t testing.TB) { panic("not yet") }

// Kill ends the broker as a power cut would (SIGKILL).
func (b *Broker) Kill(t testing.TB) { panic("not yet") }

// Restart starts the broker again, on the same address and data.
func (b *Broker) Restart(t testing.TB) { panic("not yet") }

// ConsoleConsumer runs Kafka's own console consumer, read_committed, over the whole topic.
func (b *Broker) ConsoleConsumer(t testing.TB, topic string, args ...string) string {
	panic("not yet")
}

// Package broker is the embedded broker of the quickstart.
package broker

// Options of the embedded broker.
type Options struct {
	// DataDir keeps topics, groups and transactions over restarts; "" keeps them in memory.
	DataDir string
	// Port on loopback; 0 takes a free one.
	Port int
}

// Broker is a running embedded broker.
type Broker struct{}

// Start starts a broker on 127.0.0.1.
func Start(o Options) (*Broker, error) { panic("not yet") }

// Addr is the broker's address, host:port.
func (b *Broker) Addr() string { panic("not yet") }

// Close stops the broker, and writes what it holds to DataDir.
func (b *Broker) Close() error { panic("not yet") }

package kafka

import (
	"crypto/tls"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is a Kafka record as franz-go hands it over: the engine reads its bytes
// without copying them into a type of its own.
type Record = kgo.Record

// Options say how to reach a Kafka cluster. They are shared by every client of this package.
type Options struct {
	// Brokers are the addresses to start from, host:port each.
	Brokers []string
	// ClientID names the process in the broker's logs and quotas. Default "tidemark".
	ClientID string
	// TLS, when not nil, encrypts every connection; see TLSConfig. Default nil: plain text.
	TLS *tls.Config
	// SASL is how to log in. The zero value means no login.
	SASL SASL
	// Log receives the client's warnings and errors. Default: nothing is logged.
	Log *slog.Logger
}

// SASL is a user name and password and the mechanism by which they are shown to the broker.
type SASL struct {
	// Mechanism is "" (none), "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512".
	Mechanism string
	User      string
	Password  string
}

package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Record is a Kafka record as franz-go hands it over: the engine reads its bytes
// without copying them into a type of its own.
type Record = kgo.Record

// Header is one header of a record.
type Header = kgo.RecordHeader

// Limits of every client. A batch of 64 MiB holds a record of 10 MiB with room to spare, and is the most that
// one compressed batch may expand to; see also SessionOptions.FetchBytesMax.
const (
	batchBytesMax     = 64 << 20
	requestRetries    = 10
	requestRetryLimit = 20 * time.Second
	dialTimeout       = 5 * time.Second
	metadataAgeMin    = 500 * time.Millisecond
)

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
	// Dial makes the connections, instead of the operating system. With TLS set it must encrypt them itself.
	Dial func(ctx context.Context, network, host string) (net.Conn, error)
	// Log receives the client's warnings, and at level debug all it says. Default: nothing is logged.
	Log *slog.Logger
}

// SASL is a user name and password and the mechanism by which they are shown to the broker.
type SASL struct {
	// Mechanism is "" (none), "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512".
	Mechanism string
	User      string
	Password  string
}

// EnsureDefaults fills what is not set.
func (o *Options) EnsureDefaults() {
	if o.ClientID == "" {
		o.ClientID = "tidemark"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Validate reports all faults at once.
func (o *Options) Validate() error {
	var faults []error
	if len(o.Brokers) == 0 {
		faults = append(faults, errors.New("no broker is given: name at least one host:port"))
	}
	_, err := o.SASL.mechanism()
	return errors.Join(append(faults, err)...)
}

// mechanism returns nil when no login is asked for.
func (s SASL) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism != "" && s.User == "" {
		return nil, fmt.Errorf("SASL %s needs a user name", s.Mechanism)
	}
	switch s.Mechanism {
	case "":
		if s.User != "" {
			return nil, errors.New("a SASL user is given without a mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		}
		return nil, nil
	case "PLAIN":
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("unknown SASL mechanism %q: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are known", s.Mechanism)
}

// client returns what every client is made with.
func (o *Options) client() ([]kgo.Opt, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ClientID(o.ClientID),
		kgo.WithLogger(&clientLog{log: o.Log}),
		kgo.DisableClientMetrics(),
		kgo.DialTimeout(dialTimeout),
		kgo.RequestRetries(requestRetries),
		kgo.RetryTimeout(requestRetryLimit),
		kgo.MetadataMinAge(metadataAgeMin),
		kgo.MaxDecompressBatchBytes(batchBytesMax),
	}
	opts = append(opts, crashHooks()...)
	switch {
	case o.Dial != nil:
		opts = append(opts, kgo.Dialer(o.dial))
	case o.TLS != nil:
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	mechanism, err := o.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// dial is Dial, no longer than the operating system would be given.
func (o *Options) dial(ctx context.Context, network, host string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return o.Dial(ctx, network, host)
}

// producing returns what every producer is made with: acknowledged by all, idempotent (the client's
// default), to the partition that the record names. What is buffered is bounded by outbox, not here.
func producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
		kgo.MaxBufferedRecords(outboxBytes/outboxRecordPrice + 1),
	}
}

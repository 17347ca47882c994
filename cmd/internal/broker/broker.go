package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
)

// forEver is how long what Kafka would let expire after seven days is kept here: ten years.
const (
	forEverMillis  = "315360000000"
	forEverMinutes = "5256000"
)

// Options of the embedded broker.
type Options struct {
	// DataDir keeps topics, groups and transactions over restarts; it is created. "" keeps them in memory.
	DataDir string
	// Port on loopback; 0 takes a free one.
	Port int
	// Log receives the broker's warnings. Default: nothing is logged.
	Log *slog.Logger
}

// Broker is a running embedded broker. Its methods may be called from several goroutines.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	log     *brokerLog
	unlock  func() error
}

// Start starts a broker on 127.0.0.1.
func Start(o Options) (*Broker, error) {
	b := &Broker{log: &brokerLog{log: o.Log}, unlock: func() error { return nil }}
	opts := []kfake.Opt{
		kfake.Ports(o.Port),
		kfake.WithLogger(b.log),
		kfake.ClusterID("tidemark"),
		kfake.DefaultNumPartitions(1),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":                  "-1",
			"log.retention.bytes":               "-1",
			"offsets.retention.minutes":         forEverMinutes,
			"default.replication.factor":        "1",
			"transactional.id.expiration.ms":    "2147483647", // an int: the most that fits, 24 days
			"group.consumer.session.timeout.ms": "45000",
		}),
	}
	if o.DataDir != "" {
		if err := os.MkdirAll(o.DataDir, 0o755); err != nil {
			return nil, fmt.Errorf("embedded broker: %w", err)
		}
		unlock, err := lock(filepath.Join(o.DataDir, ".lock"))
		if err != nil {
			return nil, fmt.Errorf("embedded broker: %s is in use by another process, or cannot be locked: %w", o.DataDir, err)
		}
		b.unlock = unlock
		opts = append(opts, kfake.DataDir(o.DataDir), kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded broker on port %d over %q: %w", o.Port, o.DataDir, err), b.unlock())
	}
	wholeFetches(cluster)
	b.cluster, b.addr = cluster, cluster.ListenAddrs()[0]
	return b, nil
}

// Addr is the broker's address, host:port.
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker, after what it holds is in its directory. Calling it again does nothing.
func (b *Broker) Close() error {
	b.log.take() // of requests that failed earlier: their clients were told
	b.cluster.Close()
	if err := errors.Join(append(b.log.take(), b.unlock())...); err != nil {
		return fmt.Errorf("embedded broker: close: %w", err)
	}
	return nil
}

package realkafka

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// config is server.properties of a single node. Replication is one, and what only makes tests wait is short;
// everything else, retention above all, is as a user would find it.
func (b *Broker) config(listeners map[string]string) []byte {
	bind := []string{
		fmt.Sprintf("PLAINTEXT://127.0.0.1:%d", b.ports.broker),
		fmt.Sprintf("CONTROLLER://127.0.0.1:%d", b.ports.controller),
	}
	protocols := []string{"PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", "PROXIED:PLAINTEXT"}
	// Who comes in by PROXIED is told to come back by the proxy's port: see Proxy.
	advertised := []string{bind[0], fmt.Sprintf("PROXIED://127.0.0.1:%d", b.ports.proxy)}
	bind = append(bind, fmt.Sprintf("PROXIED://127.0.0.1:%d", b.ports.proxied))
	for _, name := range slices.Sorted(maps.Keys(listeners)) {
		at := fmt.Sprintf("%s://127.0.0.1:%d", name, b.ports.others[name])
		bind = append(bind, at)
		advertised = append(advertised, at)
		protocols = append(protocols, name+":"+listeners[name])
	}
	settings := map[string]string{
		"process.roles":                                               "broker,controller",
		"node.id":                                                     "1",
		"controller.quorum.voters":                                    fmt.Sprintf("1@127.0.0.1:%d", b.ports.controller),
		"controller.listener.names":                                   "CONTROLLER",
		"listeners":                                                   strings.Join(bind, ","),
		"advertised.listeners":                                        strings.Join(advertised, ","),
		"listener.security.protocol.map":                              strings.Join(protocols, ","),
		"inter.broker.listener.name":                                  "PLAINTEXT",
		"log.dirs":                                                    filepath.Join(b.dir, "data"),
		"auto.create.topics.enable":                                   "false",
		"offsets.topic.replication.factor":                            "1",
		"offsets.topic.num.partitions":                                "4",
		"transaction.state.log.replication.factor":                    "1",
		"transaction.state.log.min.isr":                               "1",
		"transaction.state.log.num.partitions":                        "4",
		"share.coordinator.state.topic.replication.factor":            "1",
		"share.coordinator.state.topic.min.isr":                       "1",
		"group.initial.rebalance.delay.ms":                            "0",
		"broker.session.timeout.ms":                                   "3000",
		"broker.heartbeat.interval.ms":                                "500",
		"log.cleaner.backoff.ms":                                      "200",
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
	}
	maps.Copy(settings, b.settings)
	var out bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&out, "%s=%s\n", key, settings[key])
	}
	return out.Bytes()
}

// clusterID is a random UUID as Kafka writes it; its own tool for that costs a start of Java.
func clusterID() string {
	id := make([]byte, 16)
	rand.Read(id) // never fails (crypto/rand)
	id[0] &= 0x7f // a leading dash would read as an option
	return base64.RawURLEncoding.EncodeToString(id)
}

package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

// Every way to log in, over plain text and TLS, on Kafka itself; and that a wrong password and an unknown authority are told as such.
func TestLogin(t *testing.T) {
	chain, key, ca := certificate(t)
	jaas := func(module string, users ...string) string {
		return "org.apache.kafka.common.security." + module + " required " + strings.Join(users, " ") + ";"
	}
	real := realkafka.StartWith(t, realkafka.Options{
		Listeners: map[string]string{"LOGIN": "SASL_PLAINTEXT", "BOTH": "SASL_SSL", "SECRET": "SSL"},
		Settings: map[string]string{
			"sasl.enabled.mechanisms":                            "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
			"ssl.keystore.type":                                  "PEM",
			"ssl.keystore.certificate.chain":                     chain,
			"ssl.keystore.key":                                   key,
			"listener.name.login.plain.sasl.jaas.config":         jaas("plain.PlainLoginModule", `user_alice="open"`),
			"listener.name.login.scram-sha-256.sasl.jaas.config": jaas("scram.ScramLoginModule"),
			"listener.name.login.scram-sha-512.sasl.jaas.config": jaas("scram.ScramLoginModule"),
			"listener.name.both.plain.sasl.jaas.config":          jaas("plain.PlainLoginModule", `user_alice="open"`),
			"listener.name.both.scram-sha-256.sasl.jaas.config":  jaas("scram.ScramLoginModule"),
			"listener.name.both.scram-sha-512.sasl.jaas.config":  jaas("scram.ScramLoginModule"),
		},
		FormatArgs: []string{
			"--add-scram", "SCRAM-SHA-256=[name=alice,password=open]",
			"--add-scram", "SCRAM-SHA-512=[name=alice,password=open]",
		},
	})
	trust, err := kafka.TLSConfig(ca)
	must(t, err)
	system, err := kafka.TLSConfig("")
	must(t, err)
	alice := func(mechanism, password string) kafka.SASL {
		return kafka.SASL{Mechanism: mechanism, User: "alice", Password: password}
	}
	for _, test := range []struct {
		name, listener string
		tls            *tls.Config
		sasl           kafka.SASL
		fails          string
	}{
		{"tls", "SECRET", trust, kafka.SASL{}, ""},
		{"plain", "LOGIN", nil, alice("PLAIN", "open"), ""},
		{"scram 256", "LOGIN", nil, alice("SCRAM-SHA-256", "open"), ""},
		{"scram 512", "LOGIN", nil, alice("SCRAM-SHA-512", "open"), ""},
		{"plain over tls", "BOTH", trust, alice("PLAIN", "open"), ""},
		{"scram 512 over tls", "BOTH", trust, alice("SCRAM-SHA-512", "open"), ""},
		{"wrong password", "LOGIN", nil, alice("SCRAM-SHA-512", "wrong"), "SASL_AUTHENTICATION_FAILED"},
		{"wrong plain password", "LOGIN", nil, alice("PLAIN", "wrong"), "SASL_AUTHENTICATION_FAILED"},
		{"unknown authority", "SECRET", system, kafka.SASL{}, "certificate signed by unknown authority"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := kafka.Options{Brokers: []string{real.Listener(test.listener)}, TLS: test.tls, SASL: test.sasl}
			admin, err := kafka.NewAdmin(o)
			must(t, err)
			defer admin.Close()
			err = admin.EnsureTopic(context.Background(), kafka.TopicSpec{Name: "t", Partitions: 1})
			switch {
			case test.fails == "" && err != nil:
				t.Errorf("%v", err)
			case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
				t.Errorf("%v; want %q", err, test.fails)
			}
		})
	}
}

// certificate makes an authority and a certificate of it for loopback: chain and key as PEM on one
// line, as server.properties wants them, and the path of the authority's.
func certificate(t *testing.T) (chain, key, ca string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tidemark test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	ca = filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, cert, 0o600))
	oneLine := func(b []byte) string { return strings.ReplaceAll(string(b), "\n", `\n`) }
	return oneLine(cert), oneLine(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})), ca
}

func TestOptionsFaults(t *testing.T) {
	for want, o := range map[string]kafka.Options{
		"no broker is given":              {},
		`unknown SASL mechanism "GSSAPI"`: {Brokers: []string{"h:1"}, SASL: kafka.SASL{Mechanism: "GSSAPI", User: "u"}},
		"SASL PLAIN needs a user name":    {Brokers: []string{"h:1"}, SASL: kafka.SASL{Mechanism: "PLAIN"}},
		"without a mechanism":             {Brokers: []string{"h:1"}, SASL: kafka.SASL{User: "u"}},
	} {
		if _, err := kafka.NewAdmin(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	_, err := kafka.NewSession(context.Background(), kafka.SessionOptions{})
	for _, want := range []string{"Group", "InstanceID", "TransactionalID", "Topics", "OnAssigned", "no broker"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v; want all faults at once, %s too", err, want)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	must(t, os.WriteFile(empty, nil, 0o600))
	for _, path := range []string{empty, empty + ".none"} {
		if _, err := kafka.TLSConfig(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("TLSConfig(%s): %v", path, err)
		}
	}
}

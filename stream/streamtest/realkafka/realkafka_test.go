package realkafka_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realkafka.Tests(m)) }

func TestSharedIsOneBroker(t *testing.T) {
	if a, b := realkafka.Shared(t), realkafka.Shared(t); a != b {
		t.Fatal("two shared brokers")
	}
}

// A broker that was killed comes back on its address with what was acknowledged.
func TestKillAndRestart(t *testing.T) {
	b := realkafka.Start(t)
	produce(t, b, "events", "one", "two")
	b.Kill(t)
	b.Restart(t)
	produce(t, b, "events", "three")
	if got, want := b.ConsoleConsumer(t, "events"), "one\ntwo\nthree\n"; got != want {
		t.Errorf("the console consumer printed %q, want %q", got, want)
	}
	b.Stop(t)
	b.Restart(t)
	produce(t, b, "events", "four")
}

// The message, not a skip, is what a machine without Java sees.
func TestWithoutJava(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if msg := startFails(t); !strings.Contains(msg, "java is not on the PATH") {
		t.Errorf("without Java: %q", msg)
	}
}

func TestWithoutMaven(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/java", []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("TIDEMARK_TEST_CACHE", t.TempDir())
	if msg := startFails(t); !strings.Contains(msg, "mvn is not on the PATH") {
		t.Errorf("without Maven: %q", msg)
	}
}

// startFails starts a broker for a test that records its failure, and returns the message.
func startFails(t *testing.T) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		realkafka.Start(r)
	}()
	<-done
	return r.message
}

func produce(t *testing.T, b *realkafka.Broker, topic string, values ...string) {
	t.Helper()
	ctx := context.Background()
	o := kafka.Options{Brokers: []string{b.Addr()}}
	admin, err := kafka.NewAdmin(o)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.EnsureTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	p, err := kafka.NewProducer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, v := range values {
		if err := p.Produce(ctx, &kafka.Record{Topic: topic, Value: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

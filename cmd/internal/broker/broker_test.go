package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// asBroker makes the test binary a broker that its parent kills.
const asBroker = "TIDEMARK_TEST_BROKER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asBroker); dir != "" {
		b, err := Start(Options{DataDir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(b.Addr())
		select {}
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, dir string) *Broker {
	t.Helper()
	b, err := Start(Options{DataDir: dir})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is what tests do to a broker: all of it through stream/kafka.
type client struct {
	o     kafka.Options
	admin *kafka.Admin
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	o := kafka.Options{Brokers: []string{addr}}
	admin, err := kafka.NewAdmin(o)
	must(t, err)
	t.Cleanup(admin.Close)
	return &client{o, admin}
}

func (c *client) topic(t *testing.T, name string, configs ...string) {
	t.Helper()
	spec := kafka.TopicSpec{Name: name, Partitions: 1, Configs: make(map[string]string)}
	for i := 0; i < len(configs); i += 2 {
		spec.Configs[configs[i]] = configs[i+1]
	}
	must(t, c.admin.EnsureTopic(context.Background(), spec))
}

func (c *client) produce(t *testing.T, topic string, at time.Time, values ...string) {
	t.Helper()
	p, err := kafka.NewProducer(c.o)
	must(t, err)
	defer p.Close()
	for _, v := range values {
		must(t, p.Produce(context.Background(), &kafka.Record{Topic: topic, Key: []byte(v), Value: []byte(v), Timestamp: at}))
	}
	must(t, p.Flush(context.Background()))
}

func (c *client) values(t *testing.T, topic string) []string {
	t.Helper()
	ends, err := c.admin.Offsets(context.Background(), topic)
	must(t, err)
	var values []string
	must(t, kafka.ReadRange(context.Background(), c.o, topic, 0, ends[0].Start, ends[0].LastStable, func(r *kafka.Record) error {
		if !r.Attrs.IsControl() {
			values = append(values, string(r.Value))
		}
		return nil
	}))
	return values
}

// session consumes in, and publishes to out what it got.
func (c *client) session(t *testing.T, next int64) *kafka.Session {
	t.Helper()
	s, err := kafka.NewSession(context.Background(), kafka.SessionOptions{
		Options: c.o, Group: "g", InstanceID: "a", TransactionalID: "g-a", Topics: []string{"in"},
		OnAssigned: func(context.Context, []int32) (kafka.Starts, error) { return kafka.Starts{"in": {0: next}}, nil },
	})
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func pass(t *testing.T, s *kafka.Session, upTo int64) {
	t.Helper()
	for at := int64(-1); at < upTo; {
		batches, err := s.Poll(context.Background(), 100)
		must(t, err)
		for _, b := range batches {
			for _, r := range b.Records {
				s.Produce(context.Background(), &kafka.Record{Topic: "out", Value: r.Value})
				at = r.Offset + 1
			}
		}
	}
}

func commit(t *testing.T, s *kafka.Session, next int64) {
	t.Helper()
	must(t, s.Commit(context.Background(), []kafka.Commit{{Next: next, LeaderEpoch: -1, Metadata: fmt.Sprint("cut ", next)}}))
}

// Topics, records, offsets with their metadata, and the fence outlive a restart (invariant 3).
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	c := dial(t, b.Addr())
	c.topic(t, "in")
	c.topic(t, "out", "cleanup.policy", "compact")
	c.produce(t, "in", time.Time{}, "1", "2", "3", "4")
	before, err := c.admin.Topic(context.Background(), "in")
	must(t, err)
	old := c.session(t, 0)
	pass(t, old, 4)
	commit(t, old, 4)
	c.produce(t, "in", time.Time{}, "5")
	pass(t, old, 5) // and does not commit
	must(t, b.Close())

	b = open(t, dir)
	c = dial(t, b.Addr())
	after, err := c.admin.Topic(context.Background(), "in")
	must(t, err)
	if before.ID != after.ID {
		t.Errorf("the topic's id was %s and is %s", before.ID, after.ID)
	}
	s := c.session(t, 4)
	committed, err := c.admin.Committed(context.Background(), "g", "in")
	must(t, err)
	if at := committed[0]; at.Next != 4 || at.Metadata != "cut 4" {
		t.Errorf("committed %+v", at)
	}
	pass(t, s, 5)
	commit(t, s, 5)
	if got := c.values(t, "out"); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("out holds %q", got)
	}
}

// A broker that is killed has what it acknowledged (invariant 3).
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for round := range 3 {
		addr, kill := child(t, dir)
		c := dial(t, addr)
		c.topic(t, "in")
		c.topic(t, "out")
		for i := range 20 {
			v := fmt.Sprint(round, ".", i)
			c.produce(t, "in", time.Time{}, v)
			want = append(want, v)
		}
		next := int64(20 * round)
		s := c.session(t, next)
		pass(t, s, next+20)
		commit(t, s, next+20)
		s.Close()
		kill()
	}
	c := dial(t, open(t, dir).Addr())
	for _, topic := range []string{"in", "out"} {
		if got := c.values(t, topic); !slices.Equal(got, want) {
			t.Errorf("%s holds %d records, want %d: %q", topic, len(got), len(want), got)
		}
	}
	committed, err := c.admin.Committed(context.Background(), "g", "in")
	if err != nil || committed[0].Metadata != "cut 60" {
		t.Errorf("committed %+v (%v)", committed, err)
	}
}

// child starts the broker in a process of its own.
func child(t *testing.T, dir string) (addr string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asBroker+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	kill = func() {
		must(t, cmd.Process.Kill())
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return strings.TrimSpace(addr), kill
}

// Old record timestamps are no reason to lose records, also beside a compacted topic, for which the broker's cleaner runs (invariant 4).
func TestNothingExpires(t *testing.T) {
	b := open(t, "")
	c := dial(t, b.Addr())
	c.topic(t, "in")
	c.topic(t, "out", "cleanup.policy", "compact")
	c.topic(t, "short", "retention.ms", "1000")
	old := time.Date(2013, 1, 1, 5, 0, 0, 0, time.UTC)
	for _, topic := range []string{"in", "out", "short"} {
		c.produce(t, topic, old, "a", "b")
	}
	b.cluster.Compact()
	b.cluster.ApplyRetention()
	for topic, want := range map[string]int{"in": 2, "out": 2, "short": 0} {
		if got := c.values(t, topic); len(got) != want {
			t.Errorf("%s holds %q, want %d records", topic, got, want)
		}
	}
}

// The broker is on loopback, on the port asked for, and alone in its directory (invariants 1 and 2).
func TestPlace(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	host, port, err := net.SplitHostPort(b.Addr())
	if err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("listens on %s", b.Addr())
	}
	if _, err := Start(Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second broker in the directory: %v", err)
	}
	var n int
	if _, err := fmt.Sscan(port, &n); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Options{Port: n}); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second broker on the port: %v", err)
	}
	must(t, b.Close())
	must(t, b.Close())
	again, err := Start(Options{DataDir: dir, Port: n})
	must(t, err)
	defer func() { must(t, again.Close()) }()
	if again.Addr() != b.Addr() {
		t.Errorf("listens on %s, want %s", again.Addr(), b.Addr())
	}
}

// What could not be saved is told (invariant 5).
func TestCloseTellsWhatWasNotSaved(t *testing.T) {
	dir := t.TempDir()
	b, err := Start(Options{DataDir: dir})
	must(t, err)
	c := dial(t, b.Addr())
	c.topic(t, "in")
	must(t, os.RemoveAll(dir))
	must(t, os.WriteFile(dir, nil, 0o600))
	if err := b.Close(); err == nil {
		t.Error("Close saved into a directory that is not there")
	}
	must(t, os.Remove(dir))
}

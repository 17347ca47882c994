package realkafka

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	startTries  = 3
	startWait   = 3 * time.Minute
	stopWait    = time.Minute
	versionHere = "4.1.0"
)

// Options of a broker.
type Options struct {
	// Version of Apache Kafka. Default: $TIDEMARK_TEST_KAFKA, or 4.1.0.
	Version string
	// Settings are added to server.properties, or replace what stands there.
	Settings map[string]string
	// Listeners are further listeners by name, each with its security protocol: {"LOGIN": "SASL_PLAINTEXT"}; see Listener.
	Listeners map[string]string
	// FormatArgs are added to the arguments of `storage format`, such as --add-scram.
	FormatArgs []string
}

// Broker is a Kafka broker in a process of its own.
type Broker struct {
	version  string
	dir      string
	java     string
	libs     string
	ports    ports
	settings map[string]string
	process  *process
}

// Start starts a broker of the test's own; it is stopped with the test.
func Start(t testing.TB) *Broker {
	t.Helper()
	return StartWith(t, Options{})
}

// StartWith is Start with options.
func StartWith(t testing.TB, o Options) *Broker {
	t.Helper()
	b, err := start(o)
	if err != nil {
		t.Fatalf("start Kafka: %v", err)
	}
	t.Cleanup(func() {
		b.kill()
		b.clean(t.Failed())
	})
	return b
}

// Version is the version of Apache Kafka that runs.
func (b *Broker) Version() string { return b.version }

// Addr is the broker's address, host:port. It stays the same over Restart.
func (b *Broker) Addr() string { return fmt.Sprintf("127.0.0.1:%d", b.ports.broker) }

// Listener is the address of one of Options.Listeners.
func (b *Broker) Listener(name string) string {
	return fmt.Sprintf("127.0.0.1:%d", b.ports.others[name])
}

// LogFile is where the broker's own log goes.
func (b *Broker) LogFile() string { return filepath.Join(b.dir, "kafka.log") }

// Stop ends the broker in an orderly way.
func (b *Broker) Stop(t testing.TB) {
	t.Helper()
	if b.process == nil {
		return
	}
	if err := b.process.stop(stopWait); err != nil {
		t.Fatalf("stop Kafka: %v", err)
	}
	b.process = nil
}

// Kill ends the broker at once (SIGKILL). What it had written is left to the operating system, so nothing is lost but
// its memory: this is a crash of the process, not of the machine.
func (b *Broker) Kill(t testing.TB) {
	t.Helper()
	b.kill()
}

// Restart starts a stopped or killed broker again, on the same address and data.
func (b *Broker) Restart(t testing.TB) {
	t.Helper()
	if b.process != nil {
		t.Fatal("restart Kafka: it is running")
	}
	if err := b.launch(); err != nil {
		t.Fatalf("restart Kafka: %v", err)
	}
}

func start(o Options) (*Broker, error) {
	version := o.Version
	if version == "" {
		version = os.Getenv("TIDEMARK_TEST_KAFKA")
	}
	if version == "" {
		version = versionHere
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, errors.New("java is not on the PATH: the tests that run on real Kafka need Java 17 or later (Debian: apt-get install openjdk-17-jre-headless maven)")
	}
	libs, err := artefacts(version)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		b := &Broker{version: version, java: java, libs: libs, settings: o.Settings}
		err := b.create(o)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, errPortTaken) || try == startTries {
			return nil, err
		}
		b.clean(false)
	}
}

// create lays out a data directory and starts a broker over it.
func (b *Broker) create(o Options) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "tidemark-kafka-"); err != nil {
		return fmt.Errorf("directory for Kafka: %w", err)
	}
	if b.ports, err = freePorts(o.Listeners); err != nil {
		return err
	}
	if err := os.WriteFile(b.properties(), b.config(o.Listeners), 0o600); err != nil {
		return fmt.Errorf("settings of Kafka: %w", err)
	}
	args := append([]string{"format", "-t", clusterID(), "-c", b.properties()}, o.FormatArgs...)
	if out, err := b.command("kafka.tools.StorageTool", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka's storage: %w\n%s", err, out)
	}
	return b.launch()
}

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

// command runs one of Kafka's classes. The settings favour a quick start and little memory over throughput.
func (b *Broker) command(class string, args ...string) *exec.Cmd {
	flags := []string{
		"-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-cp", filepath.Join(b.libs, "*"), class,
	}
	cmd := exec.Command(b.java, append(flags, args...)...)
	cmd.Dir = b.dir
	return cmd
}

func (b *Broker) launch() error {
	log, err := os.OpenFile(b.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of Kafka: %w", err)
	}
	defer log.Close()
	cmd := b.command("kafka.Kafka", b.properties())
	cmd.Stdout, cmd.Stderr = log, log
	if b.process, err = spawn(cmd); err != nil {
		return fmt.Errorf("start java: %w", err)
	}
	if err := b.process.answers(b.Addr(), startWait); err != nil {
		b.kill()
		log := tail(b.LogFile())
		if bytes.Contains(log, []byte("Address already in use")) {
			err = errPortTaken
		}
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}

func (b *Broker) kill() {
	if b.process != nil {
		b.process.kill()
		b.process = nil
	}
}

// clean removes the data directory, or says where it is.
func (b *Broker) clean(keep bool) {
	if keep {
		fmt.Fprintf(os.Stderr, "Kafka's data and log are kept in %s\n", b.dir)
		return
	}
	if err := os.RemoveAll(b.dir); err != nil {
		fmt.Fprintf(os.Stderr, "remove %s: %v\n", b.dir, err)
	}
}

package pipeline

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Limits of settings. They are wide: they catch slips of the pen and what could not work, not poor taste.
const (
	windowMax      = 366 * day
	confirmMax     = 1000
	partitionsMax  = 10000
	sourcesMax     = 16
	rulesMax       = 64 // a Fate has one bit for each
	windowsMax     = window.WindowsMax
	dedupBits      = 64 // of all outputs together: see checkWindowsPerEvent
	updateMin      = time.Second
	keepMin        = 3 // a checkpoint being written, the latest, and one to fall back on
	keepMax        = 1000
	memoryMin      = 16 << 20
	memoryMax      = 1 << 40
	openMax        = 1_000_000_000_000
	rollBytesMin   = 64 << 10
	rollBytesMax   = 4 << 30
	commitMin      = 10 * time.Millisecond
	commitMax      = 5 * time.Second // half of the transaction timeout
	checkpointMin  = time.Second
	groupMin       = time.Second // a heartbeat is a third of it
	groupMax       = 15 * time.Minute
	rollEveryMin   = 100 * time.Millisecond
	operationalMax = day // longest interval of what must happen again and again
)

// check looks for everything that is wrong without regard to the schema.
func (p *Pipeline) check(fs *faultSet) {
	p.checkNames(fs)
	p.checkKafka(fs)
	p.checkSources(fs)
	p.checkJoins(fs)
	p.checkRules(fs)
	fs.required("outputs", len(p.Outputs) == 0, "a pipeline has at least one output: a list of name, group_by, window and aggregate")
	for i := range p.Outputs {
		p.checkOutput(fs, i)
	}
	p.checkWindowsPerEvent(fs)
	p.checkOperation(fs)
}

func (p *Pipeline) checkKafka(fs *faultSet) {
	fs.required("kafka.brokers", len(p.Kafka.Brokers) == 0, "write kafka: {brokers: [localhost:9092]}")
	if len(p.places) == 0 { // those of a file were checked where they stood
		for i, b := range p.Kafka.Brokers {
			if c := checkAddress(b, ""); c != nil {
				fs.add(element("kafka.brokers", i), c)
			}
		}
	}
	between(fs, "kafka.session_timeout", p.Kafka.SessionTimeout, groupMin, groupMax)
	between(fs, "kafka.transaction_timeout", p.Kafka.TransactionTimeout, groupMin, groupMax)
	s := p.Kafka.SASL
	if s == nil {
		return
	}
	fs.required("kafka.sasl.mechanism", s.Mechanism == "", "write PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	oneOf(fs, "kafka.sasl.mechanism", s.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	fs.required("kafka.sasl.username", s.Username == "", "write the user's name, or ${NAME} for an environment variable")
	fs.required("kafka.sasl.password", s.Password == "", "write ${NAME} for an environment variable or ${file:/path} for a file")
}

// checkAddress checks host:port. hidden is the text as written if the address came by ${...} and must not show.
func checkAddress(address, hidden string) *complaint {
	shown := strconv.Quote(address)
	if hidden != "" {
		shown = "what " + hidden + " stands for"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return complain("write host:port, as in localhost:9092", "%s is no address", shown)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return complain("ports are numbers from 1 to 65535, as in localhost:9092", "%s has no valid port", shown)
	}
	if strings.Contains(host, "/") || strings.Contains(host, "@") {
		return complain("write host:port alone, without a scheme or a user's name", "%s is no address", shown)
	}
	return nil
}

func (p *Pipeline) checkOperation(fs *faultSet) {
	fs.required("lake.bucket", p.Lake.Bucket == "", "write a directory, as in file://./tidemark-data/lake")
	if c := checkBucket(p.Lake.Bucket, p.hidden["lake.bucket"]); c != nil {
		fs.add("lake.bucket", c)
	}
	between(fs, "lake.roll.every", p.Lake.Roll.Every, rollEveryMin, operationalMax)
	bytesBetween(fs, "lake.roll.bytes_max", p.Lake.Roll.BytesMax, rollBytesMin, rollBytesMax)
	fs.required("lake.pause_at", p.Lake.PauseAt == nil, "write a share of the topic's retention, from 0% to 100%")
	if share := p.Lake.PauseAt; share != nil && !(*share >= 0 && *share <= 1) {
		fs.add("lake.pause_at", complain("write a share of the topic's retention, from 0% to 100%", "is out of range"))
	}
	r := &p.Reconcile
	between(fs, "reconcile.settle", r.Settle, 0, windowMax)
	between(fs, "reconcile.lookback", r.Lookback, 0, durationMax)
	fs.required("reconcile.guard.max_changed_windows", r.Guard.MaxChangedWindows == nil, "write a share of the windows, from 0% to 100%")
	if share := r.Guard.MaxChangedWindows; share != nil && !(*share >= 0 && *share <= 1) {
		fs.add("reconcile.guard.max_changed_windows", complain("write a share of the windows, from 0% to 100%", "is out of range"))
	}
	p.checkMaxChange(fs)
	oneOf(fs, "reconcile.guard.else", r.Guard.Else, ElseHold, ElsePublish, ElseFail)
	fs.required("state.dir", p.State.Dir == "", "name a directory on a local disk")
	bytesBetween(fs, "state.memory_max", p.State.MemoryMax, memoryMin, memoryMax)
	if n := p.State.OpenMax; n < 1 || n > openMax {
		fs.add("state.open_max", complain("write a whole number from 1 to 1000000000000", "%d is out of range", n))
	}
	between(fs, "state.checkpoint_every", p.State.CheckpointEvery, checkpointMin, operationalMax)
	if k := p.State.Keep; k < keepMin || k > keepMax {
		fs.add("state.keep", complain("write a whole number from 3 to 1000", "%d is out of range", k))
	}
	between(fs, "commit.every", p.Commit.Every, commitMin, commitMax)
}

// checkBucket checks the bucket's address; hidden as in checkAddress.
func checkBucket(url, hidden string) *complaint {
	const form = "write a directory as file://./tidemark-data/lake (from the pipeline file's directory) or file:///var/lib/tidemark, or a bucket as s3://bucket/prefix, gs://bucket/prefix or azblob://container/prefix"
	shown := strconv.Quote(url)
	if hidden != "" {
		shown = "what " + hidden + " stands for"
	}
	scheme, rest, found := strings.Cut(url, "://")
	if url == "" {
		return nil
	}
	if !found {
		return complain(form, "%s has no scheme", shown)
	}
	switch scheme {
	case "s3", "gs", "azblob":
		return checkCloud(rest, scheme, shown)
	case "file", "mem":
		if strings.Trim(rest, "./") == "" {
			return complain(form, "%s names no directory", shown)
		}
		return nil
	}
	return complain(form, "%s has an unknown scheme", shown)
}

// checkCloud checks what follows the scheme of a cloud's bucket. What may be a secret is not repeated.
func checkCloud(rest, scheme, shown string) *complaint {
	place, _, _ := strings.Cut(rest, "?")
	host, _, _ := strings.Cut(place, "/")
	switch {
	case strings.Contains(host, "@"):
		return complain("leave them out, and give them by the environment, as the cloud's own tools want them", "credentials don't belong in the bucket's address")
	case host == "" || strings.Contains(host, ":"):
		return complain("write "+scheme+"://bucket/prefix", "%s names no bucket", shown)
	}
	return nil
}

func (p *Pipeline) checkMaxChange(fs *faultSet) {
	var names []string
	for _, o := range p.Outputs {
		for _, a := range o.Aggregate {
			names = append(names, a.Name)
		}
	}
	for _, name := range sortedKeys(p.Reconcile.Guard.MaxChange) {
		path := "reconcile.guard.max_change." + name
		if c := knownName(name, names, "aggregate"); c != nil {
			fs.addKey(path, c)
		}
		if share := p.Reconcile.Guard.MaxChange[name]; !(share >= 0 && share <= 1000) {
			fs.add(path, complain("write a share of the total before, from 0% to 100000%", "is out of range"))
		}
	}
}

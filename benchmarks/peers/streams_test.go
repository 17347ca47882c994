package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/lake/testcache"
)

// classes gives the class path of Peer.java, compiled, with the jars it needs. Both are made once for each content of
// pom.xml and Peer.java. It fails the test when it cannot: a comparison that is skipped proves nothing.
func classes(t *testing.T) string {
	t.Helper()
	libs, err := testcache.Fill("peers-libs-"+testcache.Digest(t, "pom.xml"), func(dir string) error {
		testcache.Run(t, needs, nil, "mvn", "-q", "-B", "-f", "pom.xml", "dependency:copy-dependencies", "-DoutputDirectory="+dir)
		return nil
	})
	must(t, err)
	compiled, err := testcache.Fill("peers-classes-"+testcache.Digest(t, "pom.xml", "Peer.java"), func(dir string) error {
		testcache.Run(t, needs, nil, "javac", "-Werror", "-Xlint:all,-processing", "-d", dir, "-cp", filepath.Join(libs, "*"), "Peer.java")
		return nil
	})
	must(t, err)
	return compiled + string(os.PathListSeparator) + filepath.Join(libs, "*")
}

const needs = "Java 17 or later, Maven, and Maven Central once (Debian: apt-get install openjdk-17-jdk-headless maven)"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// way is how Kafka Streams is told to give out final results, and only those.
type way struct {
	name  string
	emit  string
	cache int64
	store string
}

// cacheDefault is Kafka Streams' statestore.cache.max.bytes.
const cacheDefault = 10 << 20

// ways are KTable.suppress(untilWindowCloses), and EmitStrategy.onWindowClose, whose results depend on the record cache
// and on the store: RocksDB is what production has.
var (
	suppress = way{"suppress", "suppress", 0, "memory"}
	onClose  = way{"emit on close", "close", cacheDefault, "memory"}
	cached   = way{"emit on close, RocksDB", "close", cacheDefault, "rocksdb"}
	uncached = way{"emit on close, RocksDB, no cache", "close", 0, "rocksdb"}
)

// peerResult is what Kafka Streams makes of a case.
type peerResult struct {
	rows    rows
	dropped int64 // its metric dropped-records-total
}

// setup is the first line of a case for Peer.java.
type setup struct {
	Case   string `json:"case"`
	Kind   string `json:"kind"`
	Emit   string `json:"emit"`
	Size   int64  `json:"size"`
	Every  int64  `json:"every"`
	Gap    int64  `json:"gap"`
	Grace  int64  `json:"grace"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	Cache  int64  `json:"cache"`
	Store  string `json:"store"`
}

type peerRecord struct {
	Topic string `json:"topic"`
	Key   string `json:"key"`
	Value int64  `json:"value"`
	T     int64  `json:"t"`
}

// kafkaStreams runs every case in each of its ways, in one JVM. Results are by the case's name, a slash, and the way's.
func kafkaStreams(t *testing.T, cases []scenario) map[string]peerResult {
	t.Helper()
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, c := range cases {
		for _, w := range c.ways {
			every := int64(size)
			if c.query == "hopping" {
				every = hop
			}
			must(t, enc.Encode(setup{Case: c.name() + "/" + w.name, Kind: c.query, Emit: w.emit, Cache: w.cache, Store: w.store, Size: size, Every: every,
				Gap: gap - 1, Grace: grace, Before: before, After: after}))
			for _, e := range append(c.events, c.flush()...) {
				must(t, enc.Encode(peerRecord{Topic: e.topic, Key: e.K, Value: e.V, T: e.T}))
			}
		}
	}
	out := testcache.Run(t, needs, in.Bytes(), "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-Djava.io.tmpdir="+scratch(t),
		"-cp", classes(t), "Peer")
	return readPeer(t, out)
}

// scratch is a directory for stores: in memory, where the system has one there, as RocksDB syncs after every record.
func scratch(t *testing.T) string {
	t.Helper()
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "tidemark-peers-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func readPeer(t *testing.T, out []byte) map[string]peerResult {
	t.Helper()
	results := map[string]peerResult{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var line struct {
			Case       string
			Key        string
			Start, End int64
			Count, Sum int64
			Dropped    *int64
		}
		must(t, json.Unmarshal(lines.Bytes(), &line))
		r, ok := results[line.Case]
		if !ok {
			r.rows = rows{}
		}
		switch place := (place{line.Key, line.Start, line.End}); {
		case line.Dropped != nil:
			r.dropped = *line.Dropped
		case line.Key == flushKey:
		case r.rows[place] != tally{}:
			t.Errorf("%s: Kafka Streams gave out %v twice", line.Case, place)
		default:
			r.rows[place] = tally{line.Count, line.Sum}
		}
		results[line.Case] = r
	}
	must(t, lines.Err())
	return results
}

package telemetry

import (
	"flag"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func sample() stream.Status {
	s := stream.Status{
		Pipeline: "flights", Fingerprint: "c24d7cb1ec70", ID: "main", Topic: "flights", At: at,
		Commits: map[string]int64{"committed": 12, "fenced": 1}, CommitSum: 300 * time.Millisecond, LastCommitAt: at.Add(-time.Second),
		Rebuilds: 2, LandingBytes: 4096, Memory: []stream.Part{{Name: "write_back", Bytes: 2000, Limit: 9000}},
	}
	s.CommitTook[0], s.CommitTook[2], s.CommitTook[len(s.CommitTook)-1] = 5, 7, 1
	s.Lateness[0], s.Lateness[3], s.Lateness[len(s.Lateness)-1] = 90, 9, 1
	s.Tasks = []stream.TaskStatus{
		{
			Task: 0, State: stream.Running, Committed: 100, LastStable: 110, High: 112, Watermark: at.UnixMilli(), Landed: 90,
			Counters: state.Counters{Consumed: 100, Aggregated: 80, Duplicate: 5, Late: 10, Invalid: 5,
				Outputs: []state.OutputCounters{{Name: "hourly", Closed: 7, Missed: 1, Open: 2}}},
			OldestOpen: at.Add(-time.Hour).UnixMilli(), StateBytes: 1000, MemoryBytes: 2000,
			Checkpoint: stream.CheckpointStatus{At: at.Add(-20 * time.Second), Next: 60, Gap: 40, Took: time.Second, Bytes: 10, BytesUploaded: 30},
			Inputs: []stream.InputStatus{{Topic: "flights", Committed: 100, LastStable: 110, High: 112, Watermark: at.UnixMilli(),
				Pending: 1, Landed: 90, Consumed: 100}},
		},
		{Task: 1, State: stream.Idle, Watermark: math.MinInt64, OldestOpen: math.MinInt64,
			Inputs: []stream.InputStatus{{Topic: "flights", Watermark: math.MinInt64, Silent: true}}},
		{Task: 2, State: stream.Restoring, High: 50, Watermark: math.MinInt64, OldestOpen: math.MinInt64,
			Restore: &stream.RestoreStatus{Source: stream.FromLake, Bytes: 9, BytesTotal: 9, Replayed: 10, ReplayedTotal: 40, MovedAt: at}},
	}
	s.Restores = map[string]stream.RestoreTook{stream.FromLocal: {Took: [len(stream.RestoreBounds) + 1]int64{3, 1}, Sum: 2 * time.Second}}
	return s
}

// several is a task that reads two topics and the repartition topic, which no pipeline does: it shows every metric.
func several() stream.Status {
	return stream.Status{Pipeline: "p", Topic: "auctions", At: at, Tasks: []stream.TaskStatus{{
		Task: 0, State: stream.Running, Watermark: at.UnixMilli(), OldestOpen: math.MinInt64, Buffered: 5,
		Inputs: []stream.InputStatus{
			{Topic: "auctions", Committed: 10, LastStable: 12, High: 13, Watermark: at.UnixMilli(), Landed: 8, Consumed: 10},
			{Topic: "bids", Committed: 20, LastStable: 20, High: 20, Watermark: math.MinInt64, Pending: 2, Landed: 20, Consumed: 20, Silent: true},
			{Topic: "p-repartition", Committed: 30, LastStable: 33, High: 33, Watermark: at.UnixMilli(), Consumed: 30, Internal: true},
		},
		Counters: state.Counters{Consumed: 30, Received: 25, Aggregated: 20, Duplicate: 5, Forwarded: 28, Filtered: 2, Pairs: 7,
			Rules: []state.RuleCounter{{Name: "cancelled", Fired: 2}}},
	}}}
}

func served(t *testing.T, b *Board, path string) (int, string) {
	t.Helper()
	mux, asked := http.NewServeMux(), NewRequests("flights")
	asked.Observe("put", "ok", 3*time.Millisecond)
	asked.Observe("put", "ok", 30*time.Millisecond)
	asked.Observe("get", "busy", 20*time.Second)
	if err := Register(mux, Options{Board: b, Version: "v0", Go: "go1", Now: func() time.Time { return at }, Requests: asked}); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

var ours = regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?tidemark_.*$`)

// The metrics of one snapshot, as Prometheus reads them.
func TestMetrics(t *testing.T) {
	for name, snapshot := range map[string]stream.Status{"metrics.txt": sample(), "metrics_several_inputs.txt": several()} {
		var b Board
		b.Observe(snapshot)
		_, body := served(t, &b, "/metrics")
		got := strings.Join(ours.FindAllString(body, -1), "\n") + "\n"
		golden := filepath.Join("testdata", name)
		if *rewrite {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
}

// Prometheus' own rules for names, units and help (invariant 3).
func TestMetricsLint(t *testing.T) {
	var b Board
	b.Observe(several())
	_, body := served(t, &b, "/metrics")
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "tidemark_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Law L3 is visible from outside: a lost record shows as an imbalance.
func TestImbalanceShows(t *testing.T) {
	var b Board
	s := sample()
	s.Tasks[0].Counters.Late--
	b.Observe(s)
	if _, body := served(t, &b, "/metrics"); !strings.Contains(body, `tidemark_accounting_imbalance{pipeline="flights"} 1`) {
		t.Error("a record without a fate does not show")
	}
}

func TestReadiness(t *testing.T) {
	stopped, stale := sample(), sample()
	stopped.Tasks[0].State, stopped.Tasks[0].Err = stream.Stopped, "flights/0: topic was recreated"
	stale.At = at.Add(-time.Hour)
	stuck := sample()
	stuck.Tasks[2].Restore.MovedAt = at.Add(-2 * time.Minute)
	for _, c := range []struct {
		name string
		s    *stream.Status
		code int
		want string
	}{
		{"before the first snapshot", nil, 503, "starting"},
		{"running", new(sample()), 200, "ready: 3 tasks, task 2 restores from lake: 25 %"},
		{"a stopped task", &stopped, 503, "topic was recreated"},
		{"a restore that doesn't come on", &stuck, 503, "task 2 restores, and has stood at 25 % for 2m0s"},
		{"silence", &stale, 503, "nothing was heard"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Board
			if c.s != nil {
				b.Observe(*c.s)
			}
			if code, body := served(t, &b, "/readyz"); code != c.code || !strings.Contains(body, c.want) {
				t.Errorf("%d %q", code, body)
			}
			if code, _ := served(t, &b, "/healthz"); code != 200 {
				t.Errorf("healthz %d: the process is alive whatever its tasks do", code)
			}
		})
	}
}

func TestStatusDocument(t *testing.T) {
	var b Board
	if code, _ := served(t, &b, "/api/v1/status"); code != 503 {
		t.Errorf("before the first snapshot: %d", code)
	}
	b.Observe(sample())
	code, body := served(t, &b, "/api/v1/status")
	if code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	for _, want := range []string{
		`{"apiVersion":"tidemark/v1","kind":"Status","pipeline":"flights"`, `"process":"main"`, `"balanced":true`, `"lag":10`,
		`"watermark":"2026-11-22T12:00:00Z"`, `"watermark":null`, `"gap":40`, `"state":"RESTORE","restore":{"source":"lake","percent":25,`, `"not_landed":10`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

// Invariant 2: the engine may change what it handed over.
func TestObserveCopies(t *testing.T) {
	var b Board
	s := sample()
	b.Observe(s)
	s.Tasks[0].Counters.Outputs[0].Closed = 99
	s.Tasks[0].Committed = 99
	s.Commits["committed"] = 99
	kept := b.Status()
	if kept.Tasks[0].Counters.Outputs[0].Closed != 7 || kept.Tasks[0].Committed != 100 || kept.Commits["committed"] != 12 {
		t.Error("the board shares memory with the engine")
	}
}

// Names that a topic can't have still must not break the exposition.
func TestHostileNames(t *testing.T) {
	var b Board
	s := sample()
	s.Pipeline = "a\"b\\c\nd{}=,"
	b.Observe(s)
	_, body := served(t, &b, "/metrics")
	if !strings.Contains(body, `pipeline="a\"b\\c\nd{}=,"`) {
		t.Error("label values are not escaped")
	}
	if _, err := promlint.New(strings.NewReader(body)).Lint(); err != nil {
		t.Error(err)
	}
}

// A session that broke is recovered once a transaction is confirmed after it, and not before.
func TestRecovered(t *testing.T) {
	var b Board
	for i, c := range []struct {
		rebuilds, committed int64
		text                string
		want                bool
	}{{0, 5, "", false}, {1, 6, "x", false}, {1, 6, "x", false}, {1, 7, "x", true}, {1, 8, "x", true}, {2, 8, "x", false}, {2, 9, "x", true}} {
		s := sample()
		s.Rebuilds, s.Commits, s.LastError = c.rebuilds, map[string]int64{"committed": c.committed}, c.text
		b.Observe(s)
		if got := b.Document().Recovered; got != c.want {
			t.Errorf("snapshot %d: recovered %v", i, got)
		}
	}
	b.SetTasks(4)
	if n := b.Document().TasksTotal; n != 4 {
		t.Errorf("%d tasks", n)
	}
}

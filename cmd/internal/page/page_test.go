package page

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func sample() *status.Document {
	watermark, commit, bound := now.Add(-time.Hour), now.Add(-3*time.Second), 60.0
	return &status.Document{
		Pipeline: "flights", Fingerprint: "c24d7cb1ec70", Topic: "flights", At: now, Process: "main", TasksTotal: 4, LastCommit: &commit,
		Tasks: []status.Task{
			{Task: 0, Partition: "flights/0", State: "RUNNING", Owner: "main", Committed: 26739, LastStable: 27951, High: 27951, Lag: 1212,
				Watermark: &watermark, Open: 3, Waits: "3 open windows, the oldest from 2026-11-22T11:00Z", Pending: 2,
				Checkpoint: &status.Checkpoint{At: now.Add(-18 * time.Second), Next: 26000, Gap: 739}},
			{Task: 2, Partition: "flights/2", State: "IDLE", Owner: "main"},
			{Task: 3, Partition: "flights/3", State: "RESTORE", Owner: "main", Restore: &status.Restore{Source: "checkpoint", Percent: 61, Bytes: 61, BytesTotal: 100}},
		},
		Accounting: status.Accounting{Consumed: 26739, Aggregated: 25531, Duplicate: 256, Late: 952, Balanced: true},
		Outputs:    []status.Output{{Name: "departures-hourly", Open: 3, Closed: 1642}},
		Lateness:   []status.Bucket{{UpToSeconds: new(0.0), Events: 20000}, {UpToSeconds: &bound, Events: 500}, {Events: 20}},
		Reconcile:  &status.Reconcile{Due: 331, Waiting: 2, Clean: 256, Example: "departures-hourly dt=2013-01-31/hr=23: open"},
	}
}

func rendered(t *testing.T, views ...View) (http.Header, string) {
	t.Helper()
	h := Handler(Options{
		Title: "flights", Version: "v0", Now: func() time.Time { return now }, Views: func(context.Context) []View { return views },
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, body)
	}
	return w.Result().Header, string(body)
}

func TestThePageAnswers(t *testing.T) {
	_, body := rendered(t, View{Document: sample()})
	for _, want := range []string{
		"RUNNING 2 of 4 tasks here", "RESTORE 61%", "1,212<small>offsets", "balanced<small>26,739 records consumed",
		"consumed 26,739 = aggregated 25,531 + duplicate 256", "2026-11-22 11:00:00", "18 s ago, 739 to replay", "3 s ago",
		"the oldest from 2026-11-22T11:00Z", "flights/0: 2 event times wait until others confirm them", `<td class="mono">itself</td>`, "1,642<small>windows closed, 3 open", "331 due",
		"A unit that waits: departures-hourly dt=2013-01-31/hr=23", "in order", "up to 1 m", "beyond 1 m", `style="width: 100.0%"`, `style="width: 2.5%"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page doesn't say %q", want)
		}
	}
}

// Several inputs, rules, joins and a repartition topic: one line for each partition, the task's own facts in its first.
func TestSeveralInputs(t *testing.T) {
	watermark, waiting := now.Add(-time.Hour), int64(6)
	d := sample()
	d.BucketFailing = "503 slow down"
	d.Topics = []string{"flights", "p-repartition"}
	d.Accounting = status.Accounting{Consumed: 30, Forwarded: 28, Filtered: 2, Received: 25, Aggregated: 20, Duplicate: 5, Joined: 7, JoinedInvalid: 1, Balanced: true,
		Rules: []status.Rule{{Name: "cancelled", Fired: 2}, {Name: "airport", Fired: 0}}}
	d.Outputs[0].Missed = 3
	d.Tasks = []status.Task{{Partition: "flights/0", State: "RUNNING", Owner: "main", Open: 4, Waits: "4 open windows", HeldBack: "p-repartition/0", Inputs: []status.Input{
		{Partition: "flights/0", Committed: 10, LastStable: 12, High: 12, Lag: 2, Watermark: &watermark, NotLanded: &waiting},
		{Partition: "p-repartition/0", Committed: 20, LastStable: 21, High: 21, Lag: 1, Internal: true},
	}}}
	_, body := rendered(t, View{Document: d})
	for _, want := range []string{
		"<code>source flights through p-repartition</code>", "consumed 30 = forwarded 28", "received 25 = aggregated 20 + duplicate 5", "Joined: 7, invalid 1",
		"The bucket has been failing: 503 slow down", `<td class="n">4</td><td class="n">6</td>`, "Rules that fired: cancelled 2, airport 0", "departures-hourly: windows missed by events that other windows took: 3",
		`<td class="mono">flights/0</td><td><span class="badge good">RUNNING</span></td>`, `<td class="mono">p-repartition/0</td><td></td>`, `<td class="mono">p-repartition/0</td></tr>`,
	} {
		if !strings.Contains(strings.Join(strings.Fields(body), " "), want) {
			t.Errorf("the page doesn't say %q", want)
		}
	}
}

// What an operator must not overlook is said in words, not only in colour.
func TestTroubleIsSaid(t *testing.T) {
	d := sample()
	d.Accounting.Balanced = false
	d.Tasks[0].State, d.Tasks[0].Error = "STOPPED", "flights/0: the topic was recreated; give the pipeline a new name"
	d.LastError = "commit: outcome of the transaction unknown"
	_, body := rendered(t, View{Document: d}, View{Name: "broken.yaml", Problem: "broken.yaml:3:1: unknown key"})
	for _, want := range []string{"NOT BALANCED", "STOPPED 1 of 4 tasks here", "the topic was recreated", "outcome of the transaction unknown", "broken.yaml:3:1: unknown key"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page doesn't say %q", want)
		}
	}
}

// What is over is no alarm, and is still said.
func TestRecoveredIsNoAlarm(t *testing.T) {
	d := sample()
	d.LastError, d.Recovered = "commit: fenced", true
	if _, body := rendered(t, View{Document: d}); strings.Contains(body, `class="problem"`) || !strings.Contains(body, "Recovered, commits go on. The session before ended: commit: fenced") {
		t.Error("a session that recovered is shown as a problem, or not at all")
	}
}

// Invariant 1: names come from topics, files and clients.
func TestNamesAreEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	d := sample()
	d.Pipeline, d.Topic, d.Fingerprint, d.Process, d.LastError = evil, evil, evil, evil, evil
	d.Tasks[0].Partition, d.Tasks[0].Owner, d.Tasks[0].State, d.Tasks[0].Error, d.Tasks[0].Waits = evil, evil, evil, evil, evil
	d.Outputs[0].Name, d.Reconcile.Example = evil, evil
	_, body := rendered(t, View{Document: d}, View{Name: evil, Problem: evil})
	if strings.Contains(body, "<script") || strings.Contains(body, "<img") {
		t.Error("a name became markup")
	}
	if n := strings.Count(body, "&lt;script&gt;"); n < 10 {
		t.Errorf("only %d escaped names: what became of the others?", n)
	}
}

// Invariant 1: nothing is fetched from elsewhere, nothing is run, and the browser is told so.
func TestNothingFromElsewhere(t *testing.T) {
	header, body := rendered(t, View{Document: sample()})
	if found := regexp.MustCompile(`(?i)<(script|link|img|iframe|object|form|button|input)|https?://|url\(|@import|\son[a-z]+=`).FindString(body); found != "" {
		t.Errorf("the page contains %s", found)
	}
	policy := header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %q", policy)
	}
}

func TestEmptyAndDown(t *testing.T) {
	if _, body := rendered(t); !strings.Contains(body, "No pipeline yet") {
		t.Error("an empty page says nothing")
	}
	d := sample()
	d.Process = ""
	for i := range d.Tasks {
		d.Tasks[i].State, d.Tasks[i].Owner, d.Tasks[i].Restore = status.Down, "", nil
	}
	if _, body := rendered(t, View{Document: d}); !strings.Contains(body, "DOWN 0 of 3") || !strings.Contains(body, "at the last checkpoints") {
		t.Error("a pipeline that doesn't run isn't shown as such")
	}
}

func TestOnlyTheRoot(t *testing.T) {
	h := Handler(Options{Now: time.Now, Views: func(context.Context) []View { return nil }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/favicon.ico", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

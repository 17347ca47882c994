package streamtest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob/blobtest/servers"
	"github.com/tidemark-io/tidemark/lake/blob/cloud"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestBucketsOfClouds proves that the lake, the checkpoints and the reports work on each store: half of the log is streamed,
// the disk is lost, the rest is streamed from the checkpoint in the bucket, and all of trial's judgement holds; then the
// program itself reads that bucket.
func TestBucketsOfClouds(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"s3": servers.S3, "gcs": servers.GCS, "azure": servers.Azure} {
		t.Run(name, func(t *testing.T) {
			w := inCloud(t, start(t), cloud.Options{})
			log := cloudLog()
			restored(t, w, log)
			w.Judge(log)
			program := trial.Program(t)
			for _, command := range []string{
				"validate", "lake ls --files", "lake verify", "checkpoint ls", "checkpoint verify", "audit",
			} {
				said := w.Must(program, 0, append(strings.Fields(command), "-f", "orders.yaml")...)
				if path := regexp.MustCompile(`raw/orders/\S+\.avro`).FindString(said); path != "" {
					if events := w.Must(program, 0, "lake", "cat", "-f", "orders.yaml", path); !strings.Contains(events, "customer") {
						t.Errorf("lake cat %s: %.200s", path, events)
					}
				} else if strings.Contains(command, "--files") {
					t.Errorf("lake ls --files: %s", said)
				}
			}
		})
	}
}

func cloudLog() []streamtest.Message {
	return streamtest.Profile{Seed: 11, Events: 2000, Customers: 12, Late: 0.1, Duplicates: 0.05, Invalid: 0.02}.Log()
}

// restored streams the log in two halves, with the disk lost between them.
func restored(t *testing.T, w *world, log []streamtest.Message) {
	t.Helper()
	w.Produce(log[:len(log)/2])
	w.Stream()
	w.LoseDisk()
	w.Produce(log[len(log)/2:])
	sum := w.Stream()
	if !sum.Balanced() {
		t.Errorf("accounting %+v", sum.Counters)
	}
}

// inCloud is a world whose bucket is the one of that URL.
func inCloud(t *testing.T, url string, o cloud.Options) *world {
	t.Helper()
	path, query, _ := strings.Cut(url, "?")
	url = path + "/team/orders"
	if query != "" {
		url += "?" + query
	}
	o.Now = time.Now
	bucket, err := cloud.Open(t.Context(), url, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bucket.(interface{ Close() error }).Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Bucket = bucket
	w.Rewrite(`"file://./lake"`, fmt.Sprintf("%q", url))
	w.Load()
	return w
}

// TestHarmedBucket runs the pipeline over an S3 server of which every tenth request is lost, refused for now, cut off, or
// done and not answered, and which then is away altogether: nothing is lost, and nothing doubled (L3).
func TestHarmedBucket(t *testing.T) {
	url, address := servers.S3At(t)
	p := servers.NewProxy(t, address)
	t.Setenv("AWS_ENDPOINT_URL", p.URL())
	w := inCloud(t, url, cloud.Options{Pause: time.Millisecond, Attempts: 8, Patience: 2 * time.Second})
	random := rand.New(rand.NewPCG(5, 5))
	harms := []servers.Harm{{Drop: true}, {Lose: true}, {Half: true}, {Status: 503}, {Status: 500}, {Wait: 20 * time.Millisecond}}
	p.Harms(func(int, *http.Request) servers.Harm {
		if random.IntN(10) > 0 {
			return servers.Harm{}
		}
		return harms[random.IntN(len(harms))]
	})
	log := cloudLog()
	at := len(log) / 2
	restored(t, w, log[:at])
	for i, away := range []servers.Harm{{Status: 503}, {Status: 507}, {Drop: true}} {
		next := at + (len(log)-at)/(3-i)
		w.Produce(log[at:next])
		at = next
		p.Harms(func(int, *http.Request) servers.Harm { return away })
		o := w.Options("a")
		o.RetryFor = 300 * time.Millisecond
		ctx, cancel := cancelable(t)
		_, err := stream.Run(ctx, o)
		cancel()
		if err == nil || !strings.Contains(err.Error(), "s3://tidemark-test/team/orders") {
			t.Errorf("the run over a bucket that is away: %v", err)
		}
		p.Harms(func(int, *http.Request) servers.Harm { return servers.Harm{} })
		w.Stream()
	}
	w.Judge(log)
}

package cloud_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest/servers"
	"github.com/tidemark-io/tidemark/lake/blob/cloud"
)

// TestOpenRefuses (invariant 5): what is wrong with a URL or the environment is said without repeating a secret.
func TestOpenRefuses(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_ACCESS_KEY_ID": "",
		"AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AZURE_STORAGE_ACCOUNT": "", "AZURE_STORAGE_KEY": "",
		"AZURE_STORAGE_SAS_TOKEN": "", "AZURE_STORAGE_CONNECTION_STRING": "", "GOOGLE_APPLICATION_CREDENTIALS": none, "STORAGE_EMULATOR_HOST": "",
	} {
		t.Setenv(name, value)
	}
	for url, hint := range map[string]string{
		"s3://key:hunter2@bucket/p":                  "credentials don't belong in the URL",
		"azblob://hunter2@container":                 "AZURE_STORAGE_KEY",
		"s3://bucket/p?region=here&x=hunter2":        "unknown query parameter",
		"s3://bucket/p?use_path_style=hunter2":       "true or false",
		"s3://bucket/p":                              "AWS_REGION",
		"s3://bucket/p?region=eu-central-1":          "AWS_ACCESS_KEY_ID",
		"s3:///p":                                    "names no bucket",
		"s3://bucket/a/../b":                         "prefix",
		"s3://bucket/p?region=a&region=b":            "2 times",
		"gs://bucket?key=hunter2":                    "unknown parameter",
		"gs://bucket/p":                              "GOOGLE_APPLICATION_CREDENTIALS",
		"azblob://container/p":                       "AZURE_STORAGE_ACCOUNT",
		"azblob://container/p?sig=hunter2":           "unknown parameter",
		"ftp://x":                                    "unknown scheme",
		"s3://bucket/" + strings.Repeat("long/", 60): "at most 256",
	} {
		_, err := cloud.Open(t.Context(), url, t.TempDir(), cloud.Options{})
		if err == nil || !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("open %q: %v, want a hint at %q", url, err, hint)
		}
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", "a")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=hunter2")
	if _, err := cloud.Open(t.Context(), "azblob://c?domain=example.org", "", cloud.Options{}); err == nil || !strings.Contains(err.Error(), "send the token elsewhere") {
		t.Errorf("a SAS token for another domain: %v", err)
	}
	t.Setenv("AZURE_STORAGE_DOMAIN", "127.0.0.1:1")
	t.Setenv("AZURE_STORAGE_PROTOCOL", "http")
	if _, err := cloud.Open(t.Context(), "azblob://c", "", quick()); err == nil || !strings.Contains(err.Error(), "no answer") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestOpenAsks: a bucket that isn't there, and keys that nobody knows, are told apart at once, by name and with what to do.
func TestOpenAsks(t *testing.T) {
	url := servers.S3(t)
	missing := strings.Replace(url, "tidemark-test", "not-there", 1)
	if _, err := cloud.Open(t.Context(), missing, "", quick()); err == nil || !strings.Contains(err.Error(), "there is no bucket not-there") {
		t.Errorf("a bucket that isn't there: %v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	if _, err := cloud.Open(t.Context(), url, "", quick()); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a wrong secret: %v", err)
	}
	gcs := strings.Replace(servers.GCS(t), "tidemark-test", "not-there", 1)
	if _, err := cloud.Open(t.Context(), gcs, "", quick()); err == nil || !strings.Contains(err.Error(), "there is no bucket") {
		t.Errorf("a bucket that isn't there: %v", err)
	}
	azure := strings.Replace(servers.Azure(t), "tidemark-test", "not-there", 1)
	if _, err := cloud.Open(t.Context(), azure, "", quick()); err == nil || !strings.Contains(err.Error(), "there is no bucket not-there") {
		t.Errorf("a container that isn't there: %v", err)
	}
	t.Setenv("AZURE_STORAGE_KEY", "aHVudGVyMg==")
	if _, err := cloud.Open(t.Context(), "azblob://tidemark-test", "", quick()); err == nil || !strings.Contains(err.Error(), "give credentials") || strings.Contains(err.Error(), "aHVudGVyMg") {
		t.Errorf("a wrong key: %v", err)
	}
}

// TestPrefixIsolates (invariant 5 of package blob): nobody sees beyond a prefix, not even of a name that begins alike.
func TestPrefixIsolates(t *testing.T) {
	url := servers.S3(t)
	root, a, ab := open(t, url, quick()), open(t, below(t, url, "a"), quick()), open(t, below(t, url, "ab"), quick())
	must(t, a.PutIfAbsent(t.Context(), "k", []byte("in a")))
	must(t, ab.PutIfAbsent(t.Context(), "k", []byte("in ab")))
	is(t, a, "k", []byte("in a"))
	is(t, ab, "k", []byte("in ab"))
	is(t, root, "a/k", []byte("in a"))
	for want, b := range map[string]blob.Bucket{"k": a, "a/k ab/k": root} {
		if got := listed(t, b, ""); got != want {
			t.Errorf("listed %q, want %q", got, want)
		}
	}
}

// TestLocalBucketsAreObserved: the hook tells of every kind of bucket.
func TestLocalBucketsAreObserved(t *testing.T) {
	var seen []string
	b := open(t, "mem://x", cloud.Options{Now: time.Now, Observe: func(r cloud.Request) { seen = append(seen, r.Op+" "+r.Result) }})
	must(t, b.PutIfAbsent(t.Context(), "k", []byte("x")))
	if err := b.PutIfAbsent(t.Context(), "k", nil); err == nil {
		t.Error("a second put if absent")
	}
	is(t, b, "k", []byte("x"))
	if got := strings.Join(seen, ", "); got != "put-if-absent ok, put-if-absent exists, get ok" {
		t.Error(got)
	}
}

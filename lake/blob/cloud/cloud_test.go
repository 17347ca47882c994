package cloud_test

import (
	"crypto/rand"
	"net/url"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest/servers"
	"github.com/tidemark-io/tidemark/lake/blob/cloud"
)

// The acceptance suite, on each store as it is (invariants 1, 2 and 5 of package blob).

func TestS3(t *testing.T) { accept(t, servers.S3(t)) }

func TestGCS(t *testing.T) { accept(t, servers.GCS(t)) }

func TestAzure(t *testing.T) { accept(t, servers.Azure(t)) }

func accept(t *testing.T, address string) {
	blobtest.Acceptance(t, func() blob.Bucket { return open(t, below(t, address, rand.Text()), cloud.Options{}) })
}

// below is a bucket's URL with a prefix, which makes it another, empty bucket.
func below(t testing.TB, address, prefix string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.JoinPath(prefix).String()
}

func open(t testing.TB, address string, o cloud.Options) blob.Bucket {
	t.Helper()
	o.Now = time.Now
	b, err := cloud.Open(t.Context(), address, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.(interface{ Close() error }).Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

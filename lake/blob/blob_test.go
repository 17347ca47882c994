package blob_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	blobtest.Acceptance(t, func() blob.Bucket { return blob.NewMemory() })
}

func TestDir(t *testing.T) {
	blobtest.Acceptance(t, func() blob.Bucket { return openDir(t, t.TempDir()) })
}

// Two Dirs over one directory stand for two processes: nothing that one keeps
// in memory may matter to the other.
func TestDirShared(t *testing.T) {
	blobtest.Acceptance(t, func() blob.Bucket {
		dir := t.TempDir()
		return &alternating{a: openDir(t, dir), b: openDir(t, dir)}
	})
}

func TestFaultyIsTransparent(t *testing.T) {
	blobtest.Acceptance(t, func() blob.Bucket { return blobtest.NewFaulty(blob.NewMemory()) })
}

func openDir(t *testing.T, path string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

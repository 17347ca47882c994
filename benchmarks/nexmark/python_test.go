package nexmark

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// python returns an interpreter that has what requirements.txt names, which it installs the first time.
func python(t *testing.T) string {
	t.Helper()
	requirements, err := os.ReadFile("requirements.txt")
	must(t, err)
	sum := sha256.Sum256(requirements)
	dir := filepath.Join(cacheDir(t), "nexmark-"+hex.EncodeToString(sum[:6]))
	defer lock(t, dir+".lock")()
	interpreter, ready := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return interpreter
	}
	must(t, os.RemoveAll(dir)) // left by a run that was interrupted
	run(t, "python3", "-m", "venv", dir)
	run(t, interpreter, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "-r", "requirements.txt")
	must(t, os.WriteFile(ready, nil, 0o644))
	return interpreter
}

func cacheDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TIDEMARK_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatalf("set TIDEMARK_TEST_CACHE to a directory for DuckDB: %v", err)
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
	return func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("%s: %v\n%s\nThis test needs python3 (3.9 or newer, with venv) and the packages of requirements.txt from PyPI.", name, err, out)
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

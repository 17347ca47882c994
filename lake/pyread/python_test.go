package pyread_test

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

// python returns an interpreter that has what requirements.txt names. It makes
// one virtual environment for each content of that file, below
// TIDEMARK_TEST_CACHE or the user's cache directory, and uses it again. It
// fails the test when it cannot: a check that is skipped proves nothing.
func python(t *testing.T) string {
	t.Helper()
	requirements, err := os.ReadFile("requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(requirements)
	dir := filepath.Join(cacheDir(t), "pyread-"+hex.EncodeToString(sum[:6]))
	defer lock(t, dir+".lock")()
	interpreter, ready := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return interpreter
	}
	if err := os.RemoveAll(dir); err != nil { // left by a run that was interrupted
		t.Fatal(err)
	}
	run(t, "python3", "-m", "venv", dir)
	run(t, interpreter, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "-r", "requirements.txt")
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return interpreter
}

func cacheDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TIDEMARK_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatalf("set TIDEMARK_TEST_CACHE to a directory for the readers: %v", err)
		}
		dir = filepath.Join(user, "tidemark")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lock keeps two test runs from installing at once.
func lock(t *testing.T, path string) func() {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// run returns the command's output, and fails the test with all it said.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("%s %v: %v\n%s\nThis test needs python3 (3.9 or newer, with venv) and the packages of requirements.txt from PyPI.", name, args, err, out)
	}
	return out
}

package testcache

import (
	"path/filepath"
	"testing"
)

// NeedsPython is what to tell of a Python program that fails.
const NeedsPython = "python3 (3.9 or newer, with venv) and, once, the packages of requirements.txt from PyPI"

// Python is an interpreter that has what requirements.txt, in the test's directory, names: one virtual environment for each
// content of that file. pip are further options of pip install.
func Python(t testing.TB, name string, pip ...string) string {
	t.Helper()
	dir, err := Fill(name+"-python-"+Digest(t, "requirements.txt"), func(dir string) error {
		Run(t, NeedsPython, nil, "python3", "-m", "venv", dir)
		install := append([]string{"-m", "pip", "install", "--quiet", "-r", "requirements.txt"}, pip...)
		Run(t, NeedsPython, nil, interpreter(dir), install...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return interpreter(dir)
}

func interpreter(dir string) string { return filepath.Join(dir, "bin", "python") }

package pipeline

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestBad loads every malformed file of testdata/bad and compares all that is said of it with the golden file beside
// it (invariants 1 and 2). Each fault has a place within the file and says what to do; none shows what came by ${...}
// (invariant 3).
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 200 {
		t.Fatalf("only %d files in testdata/bad", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := Load(file, testEnv)
			var faults Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("loaded, or failed without Faults: %v", err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkFaults(t, file, strings.Split(string(text), "\n"), faults)
			compareGolden(t, strings.TrimSuffix(file, ".yaml")+".golden", faults.Error()+"\n")
		})
	}
}

func checkFaults(t *testing.T, file string, lines []string, faults Faults) {
	t.Helper()
	for i, f := range faults {
		if f.Line < 1 || f.Line > len(lines) || f.Col < 1 || f.Col > len([]rune(lines[f.Line-1]))+1 {
			t.Errorf("place %d:%d is not in the file: %v", f.Line, f.Col, f)
		}
		if f.File != file || f.Msg == "" || f.Hint == "" {
			t.Errorf("without file, message or what to do: %v", f)
		}
		if i > 0 && f.Line < faults[i-1].Line {
			t.Errorf("not in the order of the file: %v", f)
		}
		if strings.Contains(f.String(), "hunter2") {
			t.Errorf("shows a secret: %v", f)
		}
		if strings.Contains(f.String(), "\n") {
			t.Errorf("more than one line: %q", f.String())
		}
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another; if it is right, run with -update. Got:\n%s\nwant:\n%s", file, got, want)
	}
}

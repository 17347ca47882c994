package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad: no text makes the loader panic, what it refuses it refuses with places, and what it takes compiles
// (invariants 2, 4 and 8). The seeds, all files of testdata, run as an ordinary test.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte("\xff\xfe"))
	f.Add([]byte("a: \x00"))
	f.Add([]byte(strings.Repeat("x", lineBytesMax+1)))
	f.Add([]byte(strings.Repeat("- ", lineBytesMax/2) + "a"))
	f.Add([]byte(strings.Repeat("&a ", lineBytesMax/3) + "a"))
	f.Add([]byte(strings.Repeat("a: 1\n", linesMax)))
	f.Add([]byte(strings.Repeat("#\n", fileBytesMax)))
	f.Add([]byte("? {a: b}\n: c\n<<: *x\n1: 2\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseWith("testdata/good/fuzz.yaml", text, testEnv, Extensions{})
		if err == nil {
			if _, err := p.Compile(); err != nil {
				t.Errorf("loads and doesn't compile: %v", err)
			}
			return
		}
		var faults Faults
		if !errors.As(err, &faults) {
			t.Fatalf("refused without Faults: %v", err)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Col < 1 || fault.Msg == "" || fault.Hint == "" {
				t.Errorf("a fault without place, message or what to do: %v", fault)
			}
			if strings.Contains(fault.String(), "hunter2") && !strings.Contains(string(text), "hunter2") {
				t.Errorf("shows a secret: %v", fault)
			}
		}
	})
}

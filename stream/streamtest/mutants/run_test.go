package mutants

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// verdict is what one call of go test said about a bug.
type verdict struct {
	test string // that failed; "": none
	why  string // what was said instead
}

var (
	failed   = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	panicked = regexp.MustCompile(`(?m)^(panic: .*|fatal error: .*|WARNING: DATA RACE)$`)
)

// run runs a test that must fail. A test that was not built did not.
func run(t *testing.T, m *Mutant, overlay string, test []string) verdict {
	t.Helper()
	args := append([]string{"test", "-overlay", overlay, "-vet", "off", "-count", "1", "-failfast", "-timeout", "10m"}, test...)
	out, err := goTool(t, m.Env, args...)
	if err == nil {
		return verdict{why: "it passes: go test " + strings.Join(test, " ") + "\n" + tail(out)}
	}
	if name := failed.FindStringSubmatch(out); name != nil {
		return verdict{test: name[1]}
	}
	if what := panicked.FindStringSubmatch(out); what != nil {
		return verdict{test: what[1]}
	}
	return verdict{why: "go test failed, but no test did: " + tail(out)}
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

// goTool runs go in the root of the repository, without what chooses campaigns in this process.
func goTool(t *testing.T, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TIDEMARK_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// overlayOf writes the planted file, and the JSON that puts it in the other's place.
func overlayOf(t *testing.T, m *Mutant) string {
	t.Helper()
	planted, err := plant(m)
	if err != nil {
		t.Fatal(err)
	}
	at, err := filepath.Abs(filepath.Join(root, m.File))
	if err != nil {
		t.Fatal(err)
	}
	bug := filepath.Join(t.TempDir(), "bug.go")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{at: bug}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(filepath.Dir(bug), "overlay.json")
	for name, data := range map[string][]byte{bug: planted, overlay: text} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}

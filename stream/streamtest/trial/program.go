package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

// built are the programs of a test binary, by their tags. It is package state because a test binary has no other place
// that outlives a test.
var built struct {
	sync.Mutex
	dir      string
	programs map[string]string
}

// tests are a test binary's, with a place for programs around them.
type tests struct{ inner realkafka.Runner }

// Tests wraps m: when its tests have run, the shared broker is stopped and the programs are removed.
func Tests(m realkafka.Runner) realkafka.Runner { return tests{realkafka.Tests(m)} }

func (t tests) Run() int {
	dir, err := os.MkdirTemp("", "tidemark-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "directory for programs:", err)
		return 1
	}
	built.Lock()
	built.dir, built.programs = dir, map[string]string{}
	built.Unlock()
	code := t.inner.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "remove the programs:", err)
	}
	return code
}

// Program is the real program, built as a user gets it or with tags, once for a test binary.
func Program(tb testing.TB, tags ...string) string {
	tb.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" {
		tb.Fatal("TestMain must run trial.Tests(m)")
	}
	name := strings.Join(tags, ",")
	if bin := built.programs[name]; bin != "" {
		return bin
	}
	bin := filepath.Join(built.dir, fmt.Sprintf("tidemark-%d", len(built.programs)))
	out, err := exec.Command("go", "build", "-tags", name, "-o", bin, "github.com/tidemark-io/tidemark/cmd/tidemark").CombinedOutput()
	if err != nil {
		tb.Fatalf("build the program with tags %q: %v\n%s", name, err, out)
	}
	built.programs[name] = bin
	return bin
}

// programMax is how long a program may take that is to end by itself.
const programMax = 2 * time.Minute

// Command is the program in the site's directory, and what it prints.
func (s *Site) Command(ctx context.Context, program string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	out := &bytes.Buffer{}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, out, out
	return cmd, out
}

// KillAfter starts the program and kills it, SIGKILL, after a while, unless it has ended by then. `run` may not.
func (s *Site) KillAfter(program string, after time.Duration, args ...string) {
	s.TB.Helper()
	ctx, cancel := context.WithTimeout(s.TB.Context(), after)
	defer cancel()
	cmd, out := s.Command(ctx, program, args...)
	err := cmd.Run()
	if ctx.Err() != nil {
		return // killed
	}
	var exit *exec.ExitError
	if args[0] == "run" || err != nil && !errors.As(err, &exit) {
		s.TB.Fatalf("%v ended by itself: %v\n%s", args, err, out)
	}
}

// Must runs the program to its end, insists on its exit code, and returns what it printed.
func (s *Site) Must(program string, code int, args ...string) string {
	s.TB.Helper()
	ctx, cancel := context.WithTimeout(s.TB.Context(), programMax)
	defer cancel()
	cmd, out := s.Command(ctx, program, args...)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.TB.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		s.TB.Fatalf("%v: exit code %d, want %d\n%s", args, got, code, out)
	}
	return out.String()
}

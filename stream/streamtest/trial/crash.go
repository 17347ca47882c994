package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// crashed is what the program says before it ends at a point.
var crashed = regexp.MustCompile(`(?m)^crashpoint (\S+) hit (\d+)$`)

// Crash is how a program that was built with the tag crashpoints is to die.
type Crash struct {
	At     string        // "name" or "name:n", several separated by commas: whichever comes first
	Within time.Duration // of the start; a minute if zero
	// Stop, when not empty, is a point, and StopHits how often it is passed (once if zero) before the program is told to
	// stop (SIGTERM).
	Stop     string
	StopHits int
}

// ErrAlive is a program that has ended well before it came to where it was to die.
var ErrAlive = errors.New("it ended well before it came there")

// Crash runs the program until it has ended itself at one of the points, and returns at which ("name:n"). A program that
// ends otherwise, or not within the time, is an error that shows what it printed; ErrAlive is among them.
func (s *Site) Crash(program string, c Crash, args ...string) (string, error) {
	if c.Within == 0 {
		c.Within = time.Minute
	}
	ctx, cancel := context.WithTimeout(s.TB.Context(), c.Within)
	defer cancel()
	cmd, out := s.Command(ctx, program, args...)
	cmd.Env = append(os.Environ(), "TIDEMARK_CRASH="+c.At)
	trace := filepath.Join(s.Dir, "passed.txt")
	if err := os.Remove(trace); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if c.Stop != "" {
		cmd.Env = append(cmd.Env, "TIDEMARK_CRASH_TRACE="+trace)
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if c.Stop != "" {
		stopAfter(ctx, cmd, trace, c.Stop, max(c.StopHits, 1))
	}
	err := cmd.Wait()
	at := crashed.FindStringSubmatch(out.String())
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%v did not come to %s within %s\n%s", args, c.At, c.Within, out)
	case cmd.ProcessState.ExitCode() == 0:
		return "", fmt.Errorf("%v: %w: %s\n%s", args, ErrAlive, c.At, out)
	case cmd.ProcessState.ExitCode() != -1 || at == nil:
		return "", fmt.Errorf("%v ended before it came to %s: %w\n%s", args, c.At, err, out)
	}
	return at[1] + ":" + at[2], nil
}

// stopAfter tells a program to stop once it has passed a point so often. One that has ended by then shows in how it ended.
func stopAfter(ctx context.Context, cmd *exec.Cmd, trace, point string, hits int) {
	for ctx.Err() == nil {
		passed, err := os.ReadFile(trace)
		if err == nil && bytes.Count(passed, []byte(point+"\n")) >= hits {
			break
		}
		turn, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		<-turn.Done()
		cancel()
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintf(os.Stderr, "stop the program: %v\n", err) // it then comes to the end of its time
	}
}

// CrashAt is Crash at a point; the test fails if the program does not die there.
func (s *Site) CrashAt(program, at string, args ...string) string {
	s.TB.Helper()
	died, err := s.Crash(program, Crash{At: at}, args...)
	s.must(err)
	return died
}

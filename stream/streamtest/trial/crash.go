package trial

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"time"
)

// crashed is what the program says before it ends at a point.
var crashed = regexp.MustCompile(`(?m)^crashpoint (\S+) hit (\d+)$`)

// Crash runs a program that was built with the tag crashpoints until it has ended itself at one of the points ("name" or
// "name:n", several separated by commas), and returns which. A program that ends otherwise, or not within the time, is an
// error that shows what it printed.
func (s *Site) Crash(program, points string, within time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.TB.Context(), within)
	defer cancel()
	cmd, out := s.Command(ctx, program, args...)
	cmd.Env = append(os.Environ(), "TIDEMARK_CRASH="+points)
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return "", fmt.Errorf("%v: %w", args, err)
	}
	at := crashed.FindStringSubmatch(out.String())
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%v did not come to %s within %s\n%s", args, points, within, out)
	case cmd.ProcessState.ExitCode() != -1 || at == nil:
		return "", fmt.Errorf("%v ended before it came to %s: %w\n%s", args, points, err, out)
	}
	return at[1] + ":" + at[2], nil
}

// CrashAt is Crash within a minute; the test fails if the program does not die there.
func (s *Site) CrashAt(program, points string, args ...string) string {
	s.TB.Helper()
	at, err := s.Crash(program, points, time.Minute, args...)
	s.must(err)
	return at
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// chaos runs the pipeline and the reconciliation as processes of their own, the real program, and kills them with
// SIGKILL at random moments. Whatever it does, the end must be the same.
type chaos struct {
	a      *app
	f      demoFlags
	draw   *rand.Rand
	killed []demoKilled
}

// The moments of a kill after the start of a process. They are short enough that a run is never over by then, and
// long enough that some find it joining, some replaying, some in a commit.
const (
	killAfterMin = 30 * time.Millisecond
	killAfterMax = 900 * time.Millisecond
)

func newChaos(a *app, f demoFlags) *chaos {
	return &chaos{a: a, f: f, draw: rand.New(rand.NewPCG(f.seed, 9))}
}

// run runs the pipeline to the end. It dies in two of three kills; the reconciliation gets the rest.
func (c *chaos) run(ctx context.Context) (runSummary, error) {
	var sum runSummary
	forRun := (2*c.f.kills + 2) / 3
	out, err := c.until(ctx, "run", forRun, "--until", "end", "--listen", "", "--id", demoID)
	if err != nil {
		return sum, err
	}
	return sum, lastDocument(out, "RunSummary", &sum)
}

// apply applies an approved plan. What a killed process had finished isn't done again.
func (c *chaos) apply(ctx context.Context, plan string) error {
	args := []string{"apply"}
	if plan != "" {
		args = append(args, "--approve", plan, "--reason", demoReason, "--by", "tidemark demo")
	}
	_, err := c.until(ctx, "reconcile", c.f.kills-len(c.killed), args...)
	return err
}

// until starts the command again and again, kills it so many times, and then lets it end.
func (c *chaos) until(ctx context.Context, command string, kills int, args ...string) ([]byte, error) {
	for {
		after := time.Duration(-1)
		if kills > 0 {
			after = killAfterMin + time.Duration(c.draw.Int64N(int64(killAfterMax-killAfterMin)))
		}
		out, killed, err := c.once(ctx, command, after, args...)
		if !killed {
			return out, err
		}
		kills--
		c.killed = append(c.killed, demoKilled{What: command, AfterMs: after.Milliseconds()})
	}
}

// once runs the command once and kills it after so long, unless that is negative or it ended before.
func (c *chaos) once(ctx context.Context, command string, after time.Duration, args ...string) (out []byte, killed bool, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, false, fmt.Errorf("find the program: %w", err)
	}
	shared := []string{command}
	args = append(shared, args...)
	args = append(args, "-f", c.a.file, "-o", "json", "-q", "--brokers", c.a.brokers[0], "--log-level", "error")
	child := exec.CommandContext(ctx, program, args...)
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = 30 * time.Second
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this process, which tells the child
	var stdout, stderr bytes.Buffer
	child.Stdout, child.Stderr = &stdout, &stderr
	if err := child.Start(); err != nil {
		return nil, false, fmt.Errorf("start %s: %w", command, err)
	}
	timer := time.AfterFunc(max(after, 0), func() {
		if after >= 0 {
			killErr := child.Process.Kill()
			if killErr != nil && !errors.Is(killErr, os.ErrProcessDone) {
				c.a.log.Warn("kill", "err", killErr)
			}
		}
	})
	err = child.Wait()
	timer.Stop()
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	var exited *exec.ExitError
	if errors.As(err, &exited) && after >= 0 && exited.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("tidemark %s: %w: %s", command, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), false, nil
}

// lastDocument finds the last document of a kind among JSON lines.
func lastDocument(lines []byte, kind string, into any) error {
	all := bytes.Split(bytes.TrimSpace(lines), []byte("\n"))
	for i := len(all) - 1; i >= 0; i-- {
		var head struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(all[i], &head); err != nil {
			return fmt.Errorf("read what the process printed: %w", err)
		}
		if head.Kind == kind {
			return unmarshal(all[i], into)
		}
	}
	return fmt.Errorf("the process printed no %s", kind)
}

func unmarshal(text []byte, into any) error {
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode %s: %w", text, err)
	}
	return nil
}

package state_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// childEnv makes the test binary a child: "write SEED DIR" or "hold DIR".
const childEnv = "TIDEMARK_STATE_TEST_CHILD"

// runChild is what a child does until it is killed. It says on standard output
// what it has done, one line each.
func runChild(command string) int {
	var err error
	switch f := strings.Fields(command); f[0] {
	case "write":
		err = childWrites(f[1], f[2])
	case "hold":
		err = childHolds(f[1])
	default:
		err = fmt.Errorf("unknown command %q", command)
	}
	fmt.Println("error:", err)
	return 1
}

// childWrites applies the workload for ever, with a checkpoint now and then.
func childWrites(seedText, dir string) error {
	seed, err := strconv.ParseUint(seedText, 10, 64)
	if err != nil {
		return err
	}
	sh, err := state.NewShared(state.SharedOptions{CacheBytes: 4 << 20})
	if err != nil {
		return err
	}
	s, err := state.Open(filepath.Join(dir, "state", "2"), sh)
	if err != nil {
		return err
	}
	bucket, err := blob.OpenDir(filepath.Join(dir, "bucket"))
	if err != nil {
		return err
	}
	cut, err := s.Cut()
	if err != nil {
		return err
	}
	w := newWorkload(seed)
	for cut != nil && w.cut.Sources[0].Next < cut.Sources[0].Next {
		w.step()
	}
	fmt.Println("open", w.steps)
	for {
		if err := w.apply(s); err != nil {
			return err
		}
		if w.steps%100 == 0 {
			if _, _, err := s.Checkpoint(context.Background(), bucket, options()); err != nil {
				return err
			}
			fmt.Println("checkpoint", w.steps)
		} else if w.steps%7 == 0 {
			fmt.Println("applied", w.steps)
		}
	}
}

func childHolds(dir string) error {
	sh, err := state.NewShared(state.SharedOptions{CacheBytes: 4 << 20})
	if err != nil {
		return err
	}
	if _, err := state.Open(dir, sh); err != nil {
		return err
	}
	fmt.Println("open")
	select {}
}

// child starts one and returns its lines.
func child(t *testing.T, command string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+command)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// kill is kill -9.
func kill(t *testing.T, cmd *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what was said before the end, so that Wait may close the pipe
		if strings.HasPrefix(lines.Text(), "error:") {
			t.Errorf("the child ended by itself: %s", lines.Text())
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("the child was not killed: %v", err)
	}
}

// Invariant 1 on a real disk: kill -9 at random moments of one stream of
// commits. After each, the store is a prefix with its own cut, at least the
// last checkpoint's, and every checkpoint can be restored.
func TestKill(t *testing.T) {
	const seed = 11
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(seed, 1))
	bucket, err := blob.OpenDir(filepath.Join(dir, "bucket"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkload(seed)
	least, behind := 0, 0
	for life := range 6 {
		cmd, lines := child(t, fmt.Sprintf("write %d %s", seed, dir))
		said := 0
		for range 3 + rng.IntN(60) {
			if !lines.Scan() {
				t.Fatalf("life %d: the child ended: %v", life, lines.Err())
			}
			kind, text, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("life %d: the child says %q", life, lines.Text())
			}
			said = n
			if kind == "checkpoint" {
				least = n
			}
		}
		kill(t, cmd, lines)

		sh := newShared(t, nil)
		s := open(t, sh, filepath.Join(dir, "state", "2"))
		for cut := mustCut(t, s); cut != nil && w.cut.Sources[0].Next < cut.Sources[0].Next; {
			w.step()
		}
		got := w.verify(t, s)
		if got < least {
			t.Errorf("life %d: %d steps are there, a checkpoint had %d", life, got, least)
		}
		if got < said {
			behind++
		}
		closeStore(t, s)
		noFaults(t, sh, s.Dir())
	}
	restorable(t, bucket, w)
	t.Logf("killed 6 times; behind what was applied %d times", behind)
}

// A store that is open elsewhere is no damaged one: it must never be set aside.
func TestLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "2")
	cmd, lines := child(t, "hold "+dir)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child says %q", lines.Text())
	}
	sh := newShared(t, nil)
	locked(t, sh, dir)
	kill(t, cmd, lines)

	s := open(t, sh, dir)
	locked(t, sh, dir) // and by this process
	closeStore(t, s)
	noFaults(t, sh, dir)
}

// A process holds the directory above its stores.
func TestHold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flights", "a")
	sh := newShared(t, nil)
	held, err := state.Hold(dir, sh)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Hold(dir, sh); !errors.Is(err, state.ErrLocked) {
		t.Errorf("held twice: %v", err)
	}
	closeStore(t, open(t, sh, filepath.Join(dir, "2"))) // the stores in it are free
	if err := held.Close(); err != nil {
		t.Error(err)
	}
	again, err := state.Hold(dir, sh)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func locked(t *testing.T, sh *state.Shared, dir string) {
	t.Helper()
	_, openErr := state.Open(dir, sh)
	_, describeErr := state.Describe(dir, sh)
	_, asideErr := state.SetAside(dir, "no reason", sh)
	for name, err := range map[string]error{
		"open": openErr, "describe": describeErr, "set aside": asideErr,
		"check": state.Check(dir, sh, func(f state.Fault) { t.Errorf("fault in a locked store: %s", f) }),
	} {
		var corrupt *state.CorruptError
		if !errors.Is(err, state.ErrLocked) || errors.As(err, &corrupt) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

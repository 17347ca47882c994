package rough_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is the real program, which runs the pipeline until it is told otherwise.
type process struct {
	id   string
	tb   testing.TB
	cmd  *exec.Cmd
	out  output
	done chan struct{}

	began time.Time
}

// output is what a process prints, to be read meanwhile.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// start starts a process of the pipeline. It is killed with the test.
func (w *world) start(id string, env ...string) *process {
	w.TB.Helper()
	p := w.spawn(append([]string{"run", "--id", id, "--listen", "", "--log-level", "info"}, w.flags...), env...)
	p.id = id
	return p
}

// spawn starts any command of the program.
func (w *world) spawn(args []string, env ...string) *process {
	w.TB.Helper()
	p := &process{id: strings.Join(args, " "), tb: w.TB, began: time.Now(), done: make(chan struct{})}
	p.cmd = exec.Command(w.program, append(args, "-f", w.File)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.Dir, &p.out, &p.out
	p.cmd.Env = append(os.Environ(), env...)
	if dir := os.Getenv("TIDEMARK_LOGS"); dir != "" {
		log, err := os.OpenFile(filepath.Join(dir, strings.ReplaceAll(strings.Join(args, "_"), "/", "")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			w.TB.Fatal(err)
		}
		both := io.MultiWriter(&p.out, log)
		p.cmd.Stdout, p.cmd.Stderr = both, both
		w.TB.Cleanup(func() { log.Close() })
	}
	if err := p.cmd.Start(); err != nil {
		w.TB.Fatal(err)
	}
	go func() {
		defer close(p.done)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
			w.TB.Errorf("%s: %v", p.id, err)
		}
	}()
	w.TB.Cleanup(p.kill)
	return p
}

func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.tb.Errorf("%s of %s: %v", s, p.id, err)
	}
}

func (p *process) stop() { p.signal(syscall.SIGSTOP) }
func (p *process) cont() { p.signal(syscall.SIGCONT) }

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// ended says whether the process is no more.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// endMax is how long a process may take that was told to end, or that ends by itself.
const endMax = 2 * time.Minute

// end waits for the end of a process and insists on one of the exit codes; -1 is that of a kill.
func (p *process) end(codes ...int) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.tb.Context(), endMax)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.signal(syscall.SIGQUIT) // it tells what it is at
		<-p.done
		p.tb.Errorf("%s did not end\n%s", p.id, p.tail())
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); !slices.Contains(codes, code) {
		p.tb.Errorf("%s ended with %d, want one of %v\n%s", p.id, code, codes, p.tail())
	}
}

// term tells a process to end, and waits for it. It may have been told before it could listen.
func (p *process) term() {
	p.tb.Helper()
	p.signal(syscall.SIGTERM)
	p.end(128+int(syscall.SIGTERM), -1)
}

// tail is the end of what a process has printed.
func (p *process) tail() string {
	text := p.out.String()
	return text[max(0, len(text)-6000):]
}

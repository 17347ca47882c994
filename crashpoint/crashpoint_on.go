//go:build crashpoints && unix

package crashpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// What the environment says. Both are read once, at the first hit.
const (
	envCrash = "TIDEMARK_CRASH"       // name[:n[:stop]], several separated by commas
	envTrace = "TIDEMARK_CRASH_TRACE" // a file to which each hit's name is appended
)

// order is what is to happen at the n-th hit of a name.
type order struct {
	name string
	n    int
	stop bool
}

// board counts the hits of a process. It is package state because a point is anywhere, and this is no release.
var board struct {
	sync.Mutex
	once   sync.Once
	orders []order
	hits   map[string]int
	trace  *os.File
}

// Hit ends the process, or stops it, if the environment says so for this hit of the point.
func Hit(name string) {
	board.once.Do(prepare)
	board.Lock()
	defer board.Unlock()
	board.hits[name]++
	n := board.hits[name]
	if board.trace != nil {
		if _, err := board.trace.WriteString(name + "\n"); err != nil {
			refuse(err.Error())
		}
	}
	for _, o := range board.orders {
		if o.name != name || o.n != n {
			continue
		}
		fmt.Fprintf(os.Stderr, "crashpoint %s hit %d\n", name, n)
		signal := syscall.SIGKILL
		if o.stop {
			signal = syscall.SIGSTOP
		}
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			refuse(err.Error())
		}
		if !o.stop {
			select {} // another thread may be told first
		}
	}
}

// prepare reads the environment. A mistake in it ends the process: a test that crashes nowhere proves nothing.
func prepare() {
	board.hits = map[string]int{}
	if path := os.Getenv(envTrace); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			refuse(err.Error())
		}
		board.trace = file
	}
	text := os.Getenv(envCrash)
	if text == "" {
		return
	}
	for _, one := range strings.Split(text, ",") {
		o, err := parse(one)
		if err != nil {
			refuse(err.Error())
		}
		board.orders = append(board.orders, o)
	}
}

func parse(text string) (order, error) {
	parts := strings.Split(text, ":")
	o := order{name: parts[0], n: 1}
	if !slices.ContainsFunc(All, func(p Name) bool { return p.Name == o.name }) {
		return o, fmt.Errorf("%s=%q: there is no point %q", envCrash, text, o.name)
	}
	if len(parts) > 1 {
		n, err := strconv.Atoi(parts[1])
		if err != nil || n < 1 {
			return o, fmt.Errorf("%s=%q: %q is no number of a hit", envCrash, text, parts[1])
		}
		o.n = n
	}
	if len(parts) > 2 {
		if o.stop = parts[2] == "stop"; !o.stop || len(parts) > 3 {
			return o, fmt.Errorf("%s=%q: name[:n[:stop]] is known", envCrash, text)
		}
	}
	return o, nil
}

func refuse(why string) {
	fmt.Fprintln(os.Stderr, "crashpoint:", why)
	os.Exit(2)
}

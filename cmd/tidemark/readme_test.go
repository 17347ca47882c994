package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/cmd/internal/broker"
)

// The README is run: its files are written as they stand, its commands are typed in their order, and what they print is
// what it says. TIDEMARK_UPDATE_README=1 writes what they print into it.
func TestReadme(t *testing.T) {
	path, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	files := regexp.MustCompile("(?s)\\*\\*([a-z._]+)\\*\\*\n```[a-z]+\n(.*?)```").FindAllSubmatch(text, -1)
	if len(files) != 4 {
		t.Fatalf("%d files in the README", len(files))
	}
	b, err := broker.Start(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, f := range files {
		content := strings.ReplaceAll(string(f[2]), "localhost:9092", `"`+b.Addr()+`"`)
		if err := os.WriteFile(string(f[1]), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := regexp.MustCompile("(?s)```console\n(.*?)```").ReplaceAllStringFunc(string(text), func(block string) string {
		return session(t, block, b.Addr())
	})
	if os.Getenv("TIDEMARK_UPDATE_README") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, have := strings.Split(steady(string(text)), "\n"), strings.Split(steady(got), "\n")
	for i := range want {
		if i >= len(have) || want[i] != have[i] {
			t.Fatalf("README.md:%d says\n%s\nand the program\n%s", i+1, want[i], strings.Join(have[i:min(i+3, len(have))], "\n"))
		}
	}
}

// session types the commands of one console block and returns it with what they print.
func session(t *testing.T, block, addr string) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("```console\n")
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "$ ")
		if !ok {
			continue // what it printed, or the fence
		}
		out.WriteString(line)
		name, args := program(command)
		if name == "" {
			continue
		}
		r := tidemark(t, append(strings.Fields(strings.ReplaceAll(args, "localhost:9092", addr)), "-q")...)
		if r.code != 0 && !strings.Contains(args, "reconcile plan") {
			t.Fatalf("%s: exit %d\n%s%s", command, r.code, r.out, r.err)
		}
		out.WriteString(r.out)
	}
	return out.String() + "```"
}

// program tells a command line of the program from others, which the README explains and does not show the output of.
func program(command string) (name, args string) {
	command, comment, _ := strings.Cut(command, " #")
	for _, name := range []string{"go run ./cmd/tidemark ", "tidemark "} {
		if args, ok := strings.CutPrefix(command, name); ok && comment == "" {
			return name, args
		}
	}
	return "", ""
}

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// breaking is a pipeline that has run, and what a test breaks of it.
type breaking struct {
	t   *testing.T
	ctx context.Context
	adm *kadm.Client
}

func (b *breaking) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *breaking) produce(stdin string) {
	b.t.Helper()
	args := []string{"produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", os.Getenv("TEST_BROKERS"), "--partitions", "2", "--input", "-", "-q"}
	if r := tidemarkIn(b.ctx, b.t, stdin, args...); r.code != 0 {
		b.t.Fatalf("produce: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// recommit changes the committed offset of partition 1.
func (b *breaking) recommit(change func(*kadm.Offset)) {
	b.t.Helper()
	committed, err := b.adm.FetchOffsets(b.ctx, b.group())
	b.check(err)
	o := committed["readings"][1].Offset
	change(&o)
	var all kadm.Offsets
	all.Add(o)
	_, err = b.adm.CommitOffsets(b.ctx, b.group(), all)
	b.check(err)
}

func (b *breaking) group() string { return "weather" }

// stops are the faults of which a pipeline can't go on by itself (DESIGN "stop, not guess").
var stops = []struct {
	name string
	act  func(*breaking)
	says []string // in the one line on stderr, and in status
	many int      // tasks that stop: 1, the other goes on, or all of them
	// shows is what only status says, if anything.
	shows string
}{
	{"the topic was made anew", func(b *breaking) {
		_, err := b.adm.DeleteTopics(b.ctx, "readings")
		b.check(err)
		b.produce(readingsLines)
	}, []string{"readings", "was deleted and created again", "give the pipeline", "new names"}, 2, ""},
	{"the topic has grown", func(b *breaking) {
		_, err := b.adm.UpdatePartitions(b.ctx, 3, "readings")
		b.check(err)
	}, []string{"3", "tidemark change -f"}, 3, ""},
	{"offsets below the start", func(b *breaking) {
		b.produce(strings.ReplaceAll(readingsLines, "2013-01-09", "2013-01-10"))
		var to kadm.Offsets
		ends, err := b.adm.ListEndOffsets(b.ctx, "readings")
		b.check(err)
		to.AddOffset("readings", 1, ends["readings"][1].Offset, -1)
		_, err = b.adm.DeleteRecords(b.ctx, to)
		b.check(err)
	}, []string{"readings/1", "is below the beginning", "tidemark resume -f FILE --task 1 --accept-loss --reason TEXT"}, 1,
		`gone: readings/1: offsets \d+ to \d+ were deleted from the topic before they were read: \d+ of the \d+ that it is behind`},
	{"offsets beyond the end", func(b *breaking) {
		b.recommit(func(o *kadm.Offset) { o.At += 100 })
	}, []string{"readings/1", "is beyond the end", "the broker has lost records", "new name"}, 1, ""},
	{"offsets gone, but lived", func(b *breaking) {
		gone := kadm.TopicsSet{}
		gone.Add("readings", 1)
		_, err := b.adm.DeleteOffsets(b.ctx, b.group(), gone)
		b.check(err)
	}, []string{"task 1", "has lived before", "restore"}, 1, ""},
	{"an offset of someone else", func(b *breaking) {
		b.recommit(func(o *kadm.Offset) { o.Metadata = "by hand" })
	}, []string{"readings/1", "is not Tidemark's", "restore"}, 1, ""},
	{"the lake is damaged", func(b *breaking) {
		b.eachLog(func(path string) { b.check(os.WriteFile(path, []byte("{"), 0o644)) })
	}, []string{"task 1", "lake is damaged", "tidemark lake verify"}, 1, `(?s)readings/1 +STOPPED +\S+ +[1-9]\d* .* \? .*consumed 11 .* balanced`},
	{"the lake ends where the topic begins no more", func(b *breaking) {
		b.eachLog(func(path string) { b.check(os.Remove(path)) })
		var to kadm.Offsets
		to.AddOffset("readings", 1, 3, -1)
		_, err := b.adm.DeleteRecords(b.ctx, to)
		b.check(err)
		b.produce(strings.ReplaceAll(readingsLines, "2013-01-09", "2013-01-10"))
	}, []string{"readings/1", "before they were landed", "tidemark resume -f FILE --task 1"}, 1, ""},
}

// eachLog finds the lake's log of partition 1.
func (b *breaking) eachLog(fn func(path string)) {
	b.t.Helper()
	n := 0
	b.check(filepath.WalkDir(filepath.Join("lake", "raw", "readings"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && regexp.MustCompile(`/_log/0*1/`).MatchString(path) {
			n++
			fn(path)
		}
		return err
	}))
	if n == 0 {
		var all []string
		b.check(filepath.WalkDir("lake", func(path string, _ os.DirEntry, err error) error { all = append(all, path); return err }))
		b.t.Fatalf("no lake log of partition 1 among\n%s", strings.Join(all, "\n"))
	}
}

// Each of them ends in exit code 1 with one line that says what, where, and what to do, by commands that there are; status says
// the same from outside, of those tasks only that have stopped (invariant 7).
func TestStopsSayWhatToDo(t *testing.T) {
	for _, c := range stops {
		t.Run(c.name, func(t *testing.T) {
			broker := weather(t)
			client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			b := &breaking{t: t, ctx: t.Context(), adm: kadm.NewClient(client)}
			b.produce(readingsLines)
			must(t, 0, "run", "--until", "end", "--listen", "", "-q", "-f", "pipeline.yaml")
			c.act(b)
			r := must(t, exitFailed, "run", "--until", "end", "--listen", "", "-q", "-f", "pipeline.yaml", "--log-level", "error", "--log-format", "json")
			line := oneLine(t, r.err)
			for _, word := range c.says {
				if !strings.Contains(line, word) {
					t.Errorf("%q is not in: %s", word, line)
				}
			}
			namesCommands(t, line)
			s := tidemark(t, "status", "-f", "pipeline.yaml")
			told := strings.Count(s.out, "stopped: ")
			if s.code != 0 || told != c.many || strings.Count(s.out, "STOPPED") != c.many {
				t.Errorf("status: exit %d, %d tasks are stopped, %d should be\n%s%s", s.code, told, c.many, s.out, s.err)
			}
			for _, word := range c.says {
				if !strings.Contains(s.out, word) {
					t.Errorf("status: %q is not in\n%s", word, s.out)
				}
			}
			checked := must(t, exitFailed, "status", "--check", "-f", "pipeline.yaml")
			if checked.out != s.out || strings.Count(checked.err, "is STOPPED") != c.many {
				t.Errorf("status --check:\n%s%s", checked.out, checked.err)
			}
			if want := c.shows; want != "" && !regexp.MustCompile(want).MatchString(s.out) {
				t.Errorf("status: %q is not in\n%s", want, s.out)
			}
		})
	}
}

// oneLine is what the command said at last, beside its log.
func oneLine(t *testing.T, stderr string) string {
	t.Helper()
	var own []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "{") {
			own = append(own, strings.TrimSpace(line))
		}
	}
	if len(own) != 1 || !strings.HasPrefix(own[0], "tidemark: ") {
		t.Fatalf("not one line:\n%s", stderr)
	}
	return own[0]
}

// namesCommands insists that each `tidemark command` that a text names exists, with the flags that it names.
func namesCommands(t *testing.T, text string) {
	t.Helper()
	for _, m := range regexp.MustCompile("`tidemark ([^`]*)`").FindAllStringSubmatch(text, -1) {
		words := strings.Fields(m[1])
		root := (&app{out: io.Discard, err: io.Discard, now: time.Now}).root()
		found, rest, err := root.Find(words)
		if err != nil || found == root {
			t.Errorf("no command %q: %v", m[1], err)
			continue
		}
		for _, word := range rest {
			name, long := strings.CutPrefix(word, "--")
			if long && found.Flags().Lookup(name) == nil && found.InheritedFlags().Lookup(name) == nil {
				t.Errorf("%q has no --%s", found.CommandPath(), name)
			}
		}
	}
}

package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A record that is too large for the client or its broker is told by its line, as a line that is no event is.
func TestALineThatIsTooLarge(t *testing.T) {
	b := weather(t)
	line := func(station string, number int) string {
		return fmt.Sprintf(`{"station":%q,"number":%d,"at":"2013-01-09T10:05:00Z","celsius":null}`+"\n", station, number)
	}
	text := line("oslo", 1) + line("rome", 1) + line(strings.Repeat("x", 2<<20), 1) + line("oslo", 2)
	if err := os.WriteFile("large.jsonl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"produce", "readings", "--schema", "readings.avsc", "--key", "station", "--brokers", b.Addr(), "--input", "large.jsonl", "-q"}
	r := must(t, exitFailed, append(args, "--partitions", "2")...)
	want := regexp.MustCompile(`^tidemark: produce: large\.jsonl, line 3: send to topic readings: .*MESSAGE_TOO_LARGE.*; records sent before it: 2; see to the cause and go on with --from-line 3`)
	if !want.MatchString(r.err) {
		t.Errorf("got %s", r.err)
	}
	if r := must(t, 0, append(args, "--from-line", "4")...); !strings.Contains(r.out, "sent 1 record") {
		t.Errorf("going on behind it: %s", r.out)
	}
}

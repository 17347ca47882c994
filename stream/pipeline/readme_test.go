package pipeline

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReadmeHasEveryKey: each key of the JSON Schema has a row in a table of the README, which names its default and all
// words of its choice (invariant 9), and each row is of a key.
func TestReadmeHasEveryKey(t *testing.T) {
	rows := readmeRows(t)
	schema, defaults := schemaForm(t)
	var known []string
	for path, keys := range schema.keys {
		for _, key := range keys {
			full := join(path, key)
			if strings.HasPrefix(full, "sources.*") { // the same as those of source
				continue
			}
			shown := strings.NewReplacer("outputs.*", "outputs[]", "rules.*", "rules[]").Replace(full)
			known = append(known, shown)
			row, ok := rows[shown]
			if !ok {
				t.Errorf("the README has no row for %s", shown)
				continue
			}
			value, ok := defaults[full]
			if n, number := value.(float64); number {
				value = strconv.FormatFloat(n, 'f', -1, 64)
			}
			if ok && !strings.Contains(row, fmt.Sprintf("`%v`", value)) {
				t.Errorf("the row of %s does not have the default %v", shown, value)
			}
			for _, word := range schema.words[full] {
				if !strings.Contains(row, "`"+word+"`") {
					t.Errorf("the row of %s does not have the word %s", shown, word)
				}
			}
		}
	}
	for path := range rows {
		if !slices.Contains(known, path) {
			t.Errorf("the README has a row for %s, which is no key", path)
		}
	}
}

// readmeRows are the rows of the tables by the key in their first column.
func readmeRows(t *testing.T) map[string]string {
	t.Helper()
	rows := make(map[string]string)
	for _, line := range strings.Split(readme(t), "\n") {
		if m := regexp.MustCompile("^\\| `([^`]+)` \\|").FindStringSubmatch(line); m != nil {
			if rows[m[1]] != "" {
				t.Errorf("%s has two rows", m[1])
			}
			rows[m[1]] = line
		}
	}
	return rows
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeExamples: every example is decoded without a fault, whole files and single sections alike.
func TestReadmeExamples(t *testing.T) {
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	if len(examples) < 8 {
		t.Fatalf("only %d examples", len(examples))
	}
	for _, m := range examples {
		text := m[1]
		if !strings.Contains(text, "apiVersion") {
			text = "apiVersion: " + apiVersion + "\n" + text
		}
		text = strings.ReplaceAll(text, "${KAFKA_BROKERS}", "${MORE_BROKERS}")
		p, faults := decodeOnly(t, "README.md", []byte(text), nil)
		if len(faults) > 0 {
			t.Errorf("%v in\n%s", faults, text)
		}
		if strings.Contains(text, "pipeline:") { // a whole file, whose schema lies in testdata
			if _, err := ParseWith("testdata/readme.yaml", []byte(text), testEnv, Extensions{}); err != nil {
				t.Errorf("%v in\n%s", err, text)
			}
		}
		fs := newFaultSet("", p.places)
		p.checkRules(fs)
		for i := range p.Outputs {
			if len(p.Sources) == 2 || p.Enrich == nil {
				p.checkOutput(fs, i)
			}
		}
		if err := fs.err(); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}

package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// goodFiles are all pipeline files of the repository that are meant to load.
func goodFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/good/*.yaml", "../*/testdata/*.yaml", "../testdata/*/*.yaml",
		"../../cmd/internal/*/*.yaml", "../../*/*.yaml", "../../examples/*/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if text, err := os.ReadFile(file); err != nil {
				t.Fatal(err)
			} else if bytes.Contains(text, []byte("apiVersion: "+apiVersion)) {
				files = append(files, file)
			}
		}
	}
	if len(files) < 8 {
		t.Fatalf("only %v", files)
	}
	return files
}

func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("pipeline.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("pipeline.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// flowAddress is what the YAML library wrongly takes apart: see hostPort.
var flowAddress = regexp.MustCompile(`\[(\w+:\d+)\]`)

// validate gives what the JSON Schema says of a YAML text.
func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(flowAddress.ReplaceAll(text, []byte(`["$1"]`)))
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// TestJSONSchemaTakesGoodFiles: whatever pipeline file stands in the repository is valid (invariant 9).
func TestJSONSchemaTakesGoodFiles(t *testing.T) {
	s := validator(t)
	for _, file := range goodFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestJSONSchemaRefusesUnknownKeys: a malformed file with a key or a word that nobody knows is invalid for editors too.
func TestJSONSchemaRefusesUnknownKeys(t *testing.T) {
	s, n := validator(t), 0
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var faults Faults
		if _, err := Load(file, testEnv); !errors.As(err, &faults) {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(faults, func(f Fault) bool {
			return f.Msg == "unknown key" || f.Msg == "not built yet" || strings.HasSuffix(f.Msg, "is not known here")
		}) {
			continue
		}
		n++
		if validate(t, s, text) == nil {
			t.Errorf("%s is valid, and Load says:\n%v", file, faults)
		}
	}
	if n < 30 {
		t.Errorf("only %d files", n)
	}
}

// form is what a walk finds: the keys of each mapping and the words of each choice, by path. Indexes and the names that
// users give are * in a path.
type form struct{ keys, words map[string][]string }

func newForm() *form { return &form{make(map[string][]string), make(map[string][]string)} }

func (f *form) add(path string, keys, words []string) {
	for _, to := range []struct {
		set  map[string][]string
		list []string
	}{{f.keys, keys}, {f.words, words}} {
		for _, s := range to.list {
			if !slices.Contains(to.set[path], s) {
				to.set[path] = append(to.set[path], s)
			}
		}
		slices.Sort(to.set[path])
	}
}

var (
	index      = regexp.MustCompile(`\[\d+\]`)
	sourceName = regexp.MustCompile(`^sources\.\w+`)
)

// decoderForm is what the decoder asks of all good files.
func decoderForm(t *testing.T) *form {
	t.Helper()
	found := newForm()
	for _, file := range goodFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decodeOnly(t, file, text, func(path string, keys, words []string) {
			found.add(sourceName.ReplaceAllString(index.ReplaceAllString(path, ".*"), "sources.*"), keys, words)
		})
	}
	return found
}

// decodeOnly decodes a text and fills in defaults, without looking at schemas, or at what goes together.
func decodeOnly(t *testing.T, file string, text []byte, asked func(path string, keys, words []string)) (*Pipeline, Faults) {
	t.Helper()
	p := &Pipeline{Dir: filepath.Dir(file), file: file, places: map[string]position{"": {1, 1}}, hidden: make(map[string]string),
		lines: strings.Split(string(text), "\n")}
	faults := newFaultSet(file, p.places)
	root := parseFile(text, faults)
	if root == nil {
		t.Fatal(faults.err())
	}
	l := &loader{p: p, faults: faults, env: testEnv, asked: asked}
	if !l.decode(root) {
		t.Fatal(faults.err())
	}
	p.EnsureDefaults()
	return p, faults.sorted()
}

// schemaForm walks the JSON Schema.
func schemaForm(t *testing.T) (found *form, defaults map[string]any) {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(JSONSchema(), &root); err != nil {
		t.Fatal(err)
	}
	found, defaults = newForm(), make(map[string]any)
	described := make(map[string]bool)
	walkSchema(t, root, root, "", func(path string, node map[string]any) {
		if props, ok := node["properties"].(map[string]any); ok {
			found.add(path, slices.Collect(maps.Keys(props)), nil)
		}
		if words, ok := node["enum"].([]any); ok {
			for _, w := range words {
				found.add(path, nil, []string{w.(string)})
			}
		}
		if word, ok := node["const"].(string); ok {
			found.add(path, nil, []string{word})
		}
		if value, ok := node["default"]; ok {
			defaults[path] = value
		}
		if d, ok := node["description"].(string); ok && strings.HasSuffix(d, ".") {
			described[path] = true
		}
	})
	for path, keys := range found.keys {
		for _, key := range keys {
			if !described[join(path, key)] {
				t.Errorf("%s has no description that ends with a full stop", join(path, key))
			}
		}
	}
	return found, defaults
}

// walkSchema visits a node and all below it, through references; of a choice, each branch with the path of the whole.
func walkSchema(t *testing.T, root, node map[string]any, path string, visit func(string, map[string]any)) {
	visit(path, node)
	if name, ok := node["$ref"].(string); ok {
		target := root["$defs"].(map[string]any)[strings.TrimPrefix(name, "#/$defs/")]
		walkSchema(t, root, target.(map[string]any), path, visit)
	}
	if props, ok := node["properties"].(map[string]any); ok {
		if node["additionalProperties"] != false {
			t.Errorf("%s takes other properties", path)
		}
		for key, sub := range props {
			walkSchema(t, root, sub.(map[string]any), join(path, key), visit)
		}
	}
	for _, below := range []string{"items", "additionalProperties"} {
		if sub, ok := node[below].(map[string]any); ok {
			walkSchema(t, root, sub, join(path, "*"), visit)
		}
	}
	branches, _ := node["oneOf"].([]any)
	for _, sub := range branches {
		if sub := sub.(map[string]any); sub["required"] == nil || sub["properties"] != nil {
			walkSchema(t, root, sub, path, visit)
		}
	}
}

// TestJSONSchemaIsWhatIsDecoded: the decoder and the schema know the same keys in each mapping, and the same words in
// each choice (invariant 9).
func TestJSONSchemaIsWhatIsDecoded(t *testing.T) {
	decoder := decoderForm(t)
	schema, _ := schemaForm(t)
	compare := func(what string, got, want map[string][]string) {
		paths := slices.Concat(slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(want)))
		slices.Sort(paths)
		for _, path := range slices.Compact(paths) {
			if strings.HasPrefix(path, "sources.*") && len(got[path]) == 0 {
				continue // what no good file gives there, one gives below source
			}
			if !slices.Equal(got[path], want[path]) {
				t.Errorf("%s of %q: the decoder has %v, the schema %v", what, path, got[path], want[path])
			}
		}
	}
	compare("keys", decoder.keys, schema.keys)
	compare("words", decoder.words, schema.words)
}

// TestJSONSchemaStatesDefaults: writing a default into a file that lacks it changes nothing.
func TestJSONSchemaStatesDefaults(t *testing.T) {
	_, defaults := schemaForm(t)
	n := 0
	for _, path := range sortedKeys(defaults) {
		file := "testdata/good/minimal.yaml"
		switch {
		case strings.HasPrefix(path, "sources."):
			continue // the same as those of source
		case strings.HasPrefix(path, "join."):
			file = "testdata/good/join.yaml"
		case strings.HasPrefix(path, "enrich."):
			file = "testdata/good/enrich.yaml"
		}
		n++
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		without := setIn(t, text, path, nil)
		with := setIn(t, text, path, defaults[path])
		a, b := printed(t, file, without), printed(t, file, with)
		if a != b {
			t.Errorf("%s: %v is not the default; with it\n%s\nwithout\n%s", path, defaults[path], b, a)
		}
	}
	if n < 20 {
		t.Errorf("only %d defaults", n)
	}
}

// setIn puts a value at a path of a YAML text, or takes what stands there out.
func setIn(t *testing.T, text []byte, path string, value any) []byte {
	t.Helper()
	var root map[string]any
	if err := yaml.Unmarshal(flowAddress.ReplaceAll(text, []byte(`["$1"]`)), &root); err != nil {
		t.Fatal(err)
	}
	at := root
	steps := strings.Split(strings.ReplaceAll(path, "outputs.*", "outputs"), ".")
	for _, step := range steps[:len(steps)-1] {
		switch next := at[step].(type) {
		case nil:
			below := make(map[string]any)
			at[step] = below
			at = below
		case []any:
			at = next[0].(map[string]any)
		case map[string]any:
			at = next
		}
	}
	delete(at, steps[len(steps)-1])
	if n, ok := value.(float64); ok {
		value = int(n) // a whole number in YAML, too
	}
	if value != nil {
		at[steps[len(steps)-1]] = value
	}
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func printed(t *testing.T, file string, text []byte) string {
	t.Helper()
	p, faults := decodeOnly(t, file, text, nil)
	if len(faults) > 0 {
		t.Fatalf("%v in\n%s", faults, text)
	}
	out, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

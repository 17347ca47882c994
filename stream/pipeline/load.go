package pipeline

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Load reads, checks and completes a pipeline file. env looks up environment variables, as os.LookupEnv does. What is
// wrong with the file's contents comes as Faults, all together; any other error is of reading it.
func Load(path string, env func(string) (string, bool)) (*Pipeline, error) {
	return LoadWith(path, env, Extensions{})
}

// LoadWith is Load for a file that may use a program's own aggregates and functions.
func LoadWith(path string, env func(string) (string, bool), ext Extensions) (*Pipeline, error) {
	text, err := readLimited(path, fileBytesMax)
	if err != nil {
		return nil, fmt.Errorf("read pipeline file %s: %w", path, err)
	}
	return ParseWith(path, text, env, ext)
}

// ParseWith is LoadWith for a text already read; path says where it came from, for faults and for relative paths.
func ParseWith(path string, text []byte, env func(string) (string, bool), ext Extensions) (*Pipeline, error) {
	p := &Pipeline{
		Dir:        filepath.Dir(path),
		Extensions: ext,
		file:       path,
		places:     map[string]position{"": {1, 1}},
		hidden:     make(map[string]string),
		lines:      strings.Split(strings.TrimPrefix(string(text), byteOrderMark), "\n"),
	}
	faults := newFaultSet(p.file, p.places)
	root := parseFile(text, faults)
	if root == nil {
		return nil, faults.err()
	}
	l := &loader{p: p, faults: faults, env: env}
	if !l.decode(root) {
		return nil, faults.err()
	}
	p.EnsureDefaults()
	p.check(faults)
	p.build(faults)
	if err := faults.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Validate checks the pipeline, its schema and its expressions, and gives all Faults at once, or nil.
func (p *Pipeline) Validate() error {
	_, err := p.Compile()
	return err
}

// Compile makes the plan. It reads the schema file. A pipeline from Load compiles as long as that file stays as it is;
// others may give Faults.
func (p *Pipeline) Compile() (*Plan, error) {
	faults := newFaultSet(p.file, p.places)
	p.check(faults)
	plan := p.build(faults)
	if err := faults.err(); err != nil {
		return nil, err
	}
	return plan, nil
}

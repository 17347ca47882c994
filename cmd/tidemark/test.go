package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/fixture"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) testCommand() *cobra.Command {
	var run string
	var update bool
	c := &cobra.Command{
		Use:   "test [DIR|FILE...]",
		Short: "Run test cases of pipelines, from fixture files beside them, in memory",
		Long: "Runs every fixture file named *_test.yaml below DIR (the working directory if none is given). A fixture gives\n" +
			"events, in their order, and says what the pipeline makes of them: rows, late events, duplicates, what is\n" +
			"quarantined, and what reconciling will correct. There is no broker, and no clock: a case takes milliseconds.\n\n" +
			"  pipeline: orders.yaml\n" +
			"  cases:\n" +
			"    - name: an order that comes too late is corrected\n" +
			"      given:\n" +
			"        - {id: o1, customer: C7, at: 2013-01-09T14:05:00Z, amount: 120.0}\n" +
			"        - advance: 2013-01-09T15:10:00Z\n" +
			"        - {id: o2, customer: C7, at: 2013-01-09T14:55:00Z, amount: 400.0}\n" +
			"      expect:\n" +
			"        rows: [{customer: C7, window_start: 2013-01-09T14:00:00Z, orders: 1}]\n" +
			"        reconciled: [{customer: C7, window_start: 2013-01-09T14:00:00Z, orders: 2}]\n" +
			"        late: 1\n\n" +
			"Other steps are {again: NAME} for a copy of an event that has as: NAME, {bytes: {text: ...}}, crash, idle,\n" +
			"update and end. Columns that a row doesn't name are not compared; counts that expect doesn't name are 0.",
		Args: cobra.ArbitraryArgs,
	}
	c.Flags().StringVar(&run, "run", "", "only cases whose name matches this regular expression")
	c.Flags().BoolVar(&update, "update", false, "rewrite the expectations that differ, in place")
	c.RunE = a.command(func(ctx context.Context, args []string) error {
		var only *regexp.Regexp
		if run != "" {
			var err error
			if only, err = regexp.Compile(run); err != nil {
				return usagef("test: --run: %w", err)
			}
		}
		if a.file != "" {
			return usagef("test: -f is of no use here: each fixture names its pipeline; name the fixture: tidemark test FILE")
		}
		if len(args) == 0 {
			args = []string{"."}
		}
		files, err := fixture.Find(args)
		if err != nil {
			return usagef("test: %w", err)
		}
		if len(files) == 0 {
			return usagef("test: no file below %s ends in _test.yaml: write one beside the pipeline, see tidemark test --help", args[0])
		}
		return a.test(ctx, files, only, update)
	})
	return c
}

// testReport is what `test -o json` tells.
type testReport struct {
	Files   []testFile `json:"files"`
	Cases   int        `json:"cases"`
	Passed  int        `json:"passed"`
	Differ  int        `json:"differ"`
	Updated int        `json:"updated,omitempty"` // files that were rewritten
}

type testFile struct {
	File     string            `json:"file"`
	Pipeline string            `json:"pipeline"`
	Updated  bool              `json:"updated,omitempty"`
	Cases    []*fixture.Result `json:"cases"`
}

// testFaults is what `test -o json` tells of fixtures that aren't sound. People read the same on stderr.
type testFaults struct {
	OK     bool        `json:"ok"`
	Faults []testFault `json:"faults"`
}

type testFault struct {
	File string `json:"file"`
	invalidFault
}

func newTestFaults(faults pipeline.Faults) *testFaults {
	v := &testFaults{}
	for _, f := range faults {
		v.Faults = append(v.Faults, testFault{f.File, invalidFault{Line: f.Line, Col: f.Col, Path: f.Path, Message: f.Msg, Hint: f.Hint}})
	}
	return v
}

// test loads all fixtures before it runs any: of a bad one nothing is run.
func (a *app) test(ctx context.Context, files []string, only *regexp.Regexp, update bool) error {
	var loaded []*fixture.File
	var faults pipeline.Faults
	for _, name := range files {
		f, err := fixture.Load(name, os.LookupEnv, pipeline.Extensions{})
		var bad pipeline.Faults
		switch {
		case errors.As(err, &bad):
			faults = append(faults, bad...)
		case err != nil:
			return usagef("test: %w", err)
		default:
			loaded = append(loaded, f)
		}
	}
	if len(faults) > 0 {
		err := &codeError{exitUsage, faults}
		if a.output == "json" {
			return errors.Join(a.result("TestFaults", newTestFaults(faults), nil), err)
		}
		return err
	}
	report := testReport{Files: []testFile{}}
	for _, f := range loaded {
		ran, err := a.runCases(ctx, f, only, update)
		if err != nil {
			return fmt.Errorf("test: %w", err)
		}
		report.add(ran)
	}
	if only != nil && report.Cases == 0 {
		return usagef("test: --run %s matches the name of no case", only)
	}
	if err := a.result("TestReport", report, report.print); err != nil {
		return err
	}
	if report.Differ > 0 {
		return errDiffers
	}
	return nil
}

// runCases runs a file's cases.
func (a *app) runCases(ctx context.Context, f *fixture.File, only *regexp.Regexp, update bool) (*testFile, error) {
	out := &testFile{File: f.Path, Pipeline: f.Plan.Pipeline.Name, Cases: []*fixture.Result{}}
	differ := false
	for _, c := range f.Cases {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if only != nil && !only.MatchString(c.Name) {
			continue
		}
		r, err := f.Run(c)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: case %q: %w", f.Path, c.Line, c.Name, err)
		}
		out.Cases = append(out.Cases, r)
		differ = differ || !r.OK
	}
	if !update || !differ {
		return out, nil
	}
	text, err := f.Update(out.Cases)
	if err != nil {
		return nil, err
	}
	if err := replaceFile(f.Path, text); err != nil {
		return nil, fmt.Errorf("rewrite %s: %w", f.Path, err)
	}
	again, err := fixture.Load(f.Path, os.LookupEnv, pipeline.Extensions{})
	if err != nil {
		return nil, err
	}
	if out, err = a.runCases(ctx, again, only, false); err != nil {
		return nil, err
	}
	out.Updated = true
	return out, nil
}

// replaceFile puts another text in a file's place, whole or not at all.
func replaceFile(name string, text []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.new")
	if err != nil {
		return err
	}
	_, err = next.Write(text)
	err = errors.Join(err, next.Chmod(info.Mode().Perm()), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	return nil
}

func (r *testReport) add(f *testFile) {
	r.Files = append(r.Files, *f)
	for _, c := range f.Cases {
		r.Cases++
		if c.OK {
			r.Passed++
		} else {
			r.Differ++
		}
	}
	if f.Updated {
		r.Updated++
	}
}

func (r *testReport) print(p *printer) {
	for _, f := range r.Files {
		if len(r.Files) > 1 && len(f.Cases) > 0 {
			p.line("%s", f.File)
		}
		for _, c := range f.Cases {
			word := p.verdict(true, "ok  ")
			if !c.OK {
				word = p.verdict(false, "FAIL")
			}
			p.line("%s %s (%s, %s)", word, c.Name, plural(c.Events, "event", "events"), plural(c.Rows, "row", "rows"))
			for _, d := range c.Differences {
				printDifference(p, f.File, d)
			}
		}
		if f.Updated {
			p.line("%s: rewritten; look at what has changed before you keep it", f.File)
		}
	}
	if r.Differ > 0 {
		p.line("%s of %s cases differ; --update takes what came out as right", count(r.Differ), count(r.Cases))
	}
}

func printDifference(p *printer, file string, d fixture.Difference) {
	p.line("  %s:%d: %s", file, d.Line, d.What)
	for _, line := range d.Text {
		p.line("    %s", line)
	}
	for _, line := range d.Hints {
		p.line("    (%s)", line)
	}
}

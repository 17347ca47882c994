package streamtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// metaCase is a pipeline, a log, and the seed of the schedules under which they are run.
type metaCase struct {
	seed uint64
	p    *metaPipeline
	plan *pipeline.Plan
	log  *metaLog
	sum  flow.Counters // of the first schedule
}

// casesPerPipeline is how many logs go through each pipeline: to compile one costs as much as to run some.
const casesPerPipeline = 8

// compiled is a model with its plan.
type compiled struct {
	p    *metaPipeline
	plan *pipeline.Plan
}

// compile writes the pipeline down in dir, and compiles what is written as any user's.
func compile(p *metaPipeline, dir string) (*compiled, error) {
	for i := range p.sources {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("source-%d.avsc", i)), []byte(p.sources[i].avsc(false)), 0o600); err != nil {
			return nil, err
		}
	}
	parsed, err := pipeline.ParseWith(filepath.Join(dir, "pipeline.yaml"), []byte(p.yaml()), func(string) (string, bool) { return "", false }, pipeline.Extensions{})
	if err != nil {
		return nil, err
	}
	plan, err := parsed.Compile()
	return &compiled{p, plan}, err
}

// newOracle reads the log.
func newOracle(c *metaCase) (*oracle, error) {
	o := &oracle{p: c.p, log: c.log}
	for n := range c.plan.GroupFields {
		var nullable []bool
		for _, f := range c.plan.GroupFields[n] {
			nullable = append(nullable, f.Type.Nullable)
		}
		o.nullable = append(o.nullable, nullable)
	}
	for i := range c.p.outputs {
		for j := range c.p.outputs[i].aggs {
			fn := c.p.outputs[i].aggs[j].fn
			o.ordered = o.ordered || fn == "first" || fn == "last"
		}
	}
	for s := range c.p.sources {
		src := &c.p.sources[s]
		reader, err := newOracleReader(src, c.p.read(src))
		if err != nil {
			return nil, err
		}
		if got := c.plan.Sources[s].Reader.Fields(); !slices.Equal(got, reader.ids) {
			return nil, fmt.Errorf("source %d: fields %v are read, by the model %v", s, got, reader.ids)
		}
		var facts [][]*oracleFact
		var ids [][][16]byte
		for _, values := range c.log.values[s] {
			var of []*oracleFact
			var id [][16]byte
			for _, value := range values {
				f := reader.read(value)
				of = append(of, f)
				if f == nil {
					id = append(id, [16]byte{})
					continue
				}
				id = append(id, reader.identity(f))
			}
			facts, ids = append(facts, of), append(ids, id)
		}
		o.facts, o.ids = append(o.facts, facts), append(o.ids, ids)
	}
	return o, nil
}

// read is the paths of a source that the pipeline reads, sorted.
func (p *metaPipeline) read(s *metaSource) []string {
	all := map[string]bool{}
	for i := range p.rules {
		p.rules[i].cond.fields(all)
	}
	for i := range p.outputs {
		for _, g := range p.outputs[i].group {
			g.expr.fields(all)
		}
		for _, a := range p.outputs[i].aggs {
			if a.arg != nil {
				a.arg.fields(all)
			}
		}
	}
	paths := append([]string{s.time}, append(slices.Clone(s.eventID), s.key...)...)
	for name := range all {
		if s.name == "" {
			paths = append(paths, name)
		} else if path, ok := strings.CutPrefix(name, s.name+"."); ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// String is the case for people.
func (c *metaCase) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d partitions\n%s", c.seed, c.p.width, c.p.yaml())
	o, err := newOracle(c)
	for s := range c.log.values {
		for p := range c.log.values[s] {
			for i := 0; i <= len(c.log.values[s][p]); i++ {
				for n, cut := range c.log.cuts {
					if cut.at[s][p] == i {
						fmt.Fprintf(&b, "  cut %d", n)
						for _, r := range cut.raises {
							if r.source == s && int(r.partition) == p {
								fmt.Fprintf(&b, ": raised to %d", r.mark)
							}
						}
						b.WriteByte('\n')
					}
				}
				if i == len(c.log.values[s][p]) {
					break
				}
				fmt.Fprintf(&b, "  source %d partition %d offset %d %s: ", s, p, i, c.log.notes[s][p][i])
				if err == nil && o.facts[s][p][i] != nil {
					f := o.facts[s][p][i]
					fmt.Fprintf(&b, "time %d %v %v\n", f.time, f.row, f.elements)
				} else {
					fmt.Fprintf(&b, "%q\n", c.log.values[s][p][i])
				}
			}
		}
	}
	return b.String()
}

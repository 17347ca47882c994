package retrace

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/fixture"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// exportEventsMax bounds an exported fixture.
const exportEventsMax = 2000

// ErrJoin says that a join's window can't be exported: the events that wait for partners don't belong to one window.
var ErrJoin = errors.New("a window of joined events can't be exported: write the fixture by hand")

// Export is a fixture of the events that were followed. path is where it will stand, for the pipeline's path in it. It has
// run: it passes, and its row is the one that was followed (invariant 4).
func (tr *Trace) Export(path, pipelineFile string, env func(string) (string, bool)) ([]byte, error) {
	switch {
	case tr.joins():
		return nil, ErrJoin
	case len(tr.Steps) > exportEventsMax:
		return nil, fmt.Errorf("%d events are too many for a fixture, which holds up to %d", len(tr.Steps), exportEventsMax)
	case tr.last() == nil:
		return nil, errors.New("no event has entered the window: there is nothing to export")
	}
	e := &exporter{tr: tr}
	text, err := e.text(path, pipelineFile)
	if err != nil {
		return nil, err
	}
	f, err := fixture.Parse(path, text, env, tr.plan.Pipeline.Extensions)
	if err != nil {
		return nil, err
	}
	r, err := f.Run(f.Cases[0])
	if err != nil {
		return nil, err
	}
	for _, d := range r.Differences {
		if strings.HasPrefix(d.What, "includes") || strings.HasPrefix(d.What, "the task") {
			return nil, fmt.Errorf("the events alone give another row than in the log: %s", strings.Join(d.Text, " | "))
		}
	}
	return f.Update([]*fixture.Result{r})
}

type exporter struct {
	tr    *Trace
	edges []*schema.Edge
	width int32
	last  string // step that was written of advance
	b     strings.Builder
}

func (e *exporter) line(format string, args ...any) { fmt.Fprintf(&e.b, format+"\n", args...) }

func (e *exporter) text(path, pipelineFile string) ([]byte, error) {
	plan := e.tr.plan
	for i := range plan.Sources {
		edge, err := plan.Sources[i].Source.Edge()
		if err != nil {
			return nil, err
		}
		e.edges = append(e.edges, edge)
	}
	var err error
	if e.width, err = e.partitions(); err != nil {
		return nil, err
	}
	out := &plan.Outputs[e.tr.target.Output]
	key := plan.Codecs[e.tr.target.Output].FormatKey(e.tr.target.Key)
	e.line("# %s %s [%s, %s), as it was in the log.", out.Name, key, instant(e.tr.target.Span.Start), instant(e.tr.target.Span.End))
	e.line("pipeline: %s", quoted(relative(path, pipelineFile)))
	e.line("cases:")
	e.line("  - name: %s", quoted(fmt.Sprintf("%s %s %s", out.Name, key, instant(e.tr.target.Span.Start))))
	if e.width > 1 {
		e.line("    partitions: %d", e.width)
	}
	e.line("    given:")
	if err := e.given(); err != nil {
		return nil, err
	}
	last := e.tr.last()
	row, err := fixture.RowText(plan, e.tr.target.Output, e.tr.target.Key, last.Start, last.End, last.Values)
	if err != nil {
		return nil, err
	}
	e.line("    expect:")
	e.line("      includes:")
	e.line("        %s:", quoted(out.Name))
	e.line("          - %s", row)
	e.line("      reconciled:")
	e.line("        %s: []", quoted(out.Name))
	return []byte(e.b.String()), nil
}

// partitions is how many the fixture needs: one, where the group lies in one; else as many as put each event where it was.
func (e *exporter) partitions() (int32, error) {
	plan := e.tr.plan
	if !plan.Rekeyed {
		return 1, nil
	}
	eval := plan.NewEval()
	low := int32(1)
	for _, s := range e.tr.Steps {
		low = max(low, s.Place.Partition+1)
	}
	for n := low; n <= 256; n++ {
		fits := true
		for i := range e.tr.Steps {
			s := &e.tr.Steps[i]
			if s.Record == nil || len(plan.Sources[s.Source].Spec.Key) == 0 {
				continue
			}
			if err := eval.Decode(s.Source, s.Record); err != nil {
				return 0, err
			}
			fits = fits && eval.PartitionOf(n) == s.Place.Partition
		}
		if fits {
			return n, nil
		}
	}
	return 0, errors.New("no number of partitions up to 256 puts the events where they were: the topic isn't keyed as the pipeline says")
}

func (e *exporter) given() error {
	closed := false
	for i := range e.tr.Steps {
		s := &e.tr.Steps[i]
		if s.Verdict == Closed {
			closed = true
			e.advanced(fmt.Sprintf("      - advance: %s", instant(s.Watermark)))
			continue
		}
		if (s.Verdict == Late || s.Verdict == Missed) && s.Watermark != window.NoWatermark {
			e.advance(s)
		}
		if err := e.event(s); err != nil {
			return err
		}
	}
	if !closed || e.tr.plan.Outputs[e.tr.target.Output].Session() { // another session of the span may be open
		e.line("      - end")
	}
	return nil
}

func (e *exporter) advance(s *Step) {
	switch {
	case e.width == 1 && len(e.edges) == 1:
		e.advanced(fmt.Sprintf("      - advance: %s", instant(s.Watermark)))
	case len(e.edges) == 1:
		e.advanced(fmt.Sprintf("      - advance: {to: %s, partition: %d}", instant(s.Watermark), s.Place.Partition))
	default:
		e.advanced(fmt.Sprintf("      - advance: {to: %s, partition: %d, source: %s}", instant(s.Watermark), e.at(s), quoted(e.tr.plan.Sources[s.Source].Name)))
	}
}

// advanced writes a step, but not the one before it again.
func (e *exporter) advanced(line string) {
	if line != e.last {
		e.line("%s", line)
	}
	e.last = line
}

// at is the event's partition in the fixture.
func (e *exporter) at(s *Step) int32 { return min(s.Place.Partition, e.width-1) }

func (e *exporter) event(s *Step) error {
	src := &e.tr.plan.Sources[s.Source]
	eval := e.tr.eval
	if err := eval.Decode(s.Source, s.Record); err != nil {
		return err
	}
	text, err := e.edges[s.Source].ToJSON(eval.Event.Payload)
	if err != nil {
		return err
	}
	event, place := fixture.Flow(string(text)), ""
	if e.width > 1 && len(src.Spec.Key) == 0 {
		place = fmt.Sprintf("at: {partition: %d}", s.Place.Partition)
	}
	note := fmt.Sprintf("   # %s/%d@%d: %s", src.Topic, s.Place.Partition, s.Place.Offset, s.Verdict)
	word := "event"
	if src.Name != "" {
		word = src.Name
	}
	switch {
	case place != "":
		e.line("      - {%s: %s, %s}%s", word, event, place, note)
	case src.Name != "" || fixture.Step(src.Schema.Fields()):
		e.line("      - %s: %s%s", word, event, note)
	default:
		e.line("      - %s%s", event, note)
	}
	return nil
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }

// quoted is text as YAML.
func quoted(s string) string { return fixture.Text(s) }

// relative is the pipeline file as seen from the fixture.
func relative(path, pipelineFile string) string {
	from, errFrom := filepath.Abs(filepath.Dir(path))
	to, errTo := filepath.Abs(pipelineFile)
	if rel, err := filepath.Rel(from, to); err == nil && errFrom == nil && errTo == nil {
		return filepath.ToSlash(rel)
	}
	return pipelineFile
}

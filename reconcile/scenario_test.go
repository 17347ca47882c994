package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// The behaviour that is worth reading stands in testdata/scenarios: what a pipeline was sent, and what plan, apply, audit and explain
// said. `go test ./reconcile -run TestScenarios -rewrite` writes the answers anew.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		s := &scenario{t: t, ids: make(map[string]string), limits: Limits{StableWait: time.Minute}}
		datadriven.RunTest(t, path, s.run)
	})
}

// Stories are of pipelines of every kind, which stand in them.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &scenario{t: t, ids: make(map[string]string), limits: Limits{StableWait: time.Minute}}
		datadriven.RunTest(t, path, s.run)
	})
}

// scenario runs the commands of one file.
type scenario struct {
	t      *testing.T
	g      *rig
	ids    map[string]string // plan ids as P1, P2: they hash record timestamps
	limits Limits
}

func (s *scenario) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	if s.g != nil {
		s.g.t = t
	}
	switch d.Cmd {
	case "new":
		s.g = newRig(s.t, settings(d))
	case "deploy":
		s.g.plan = s.g.compile(settings(d))
		s.g.deploy()
	case "plan-file": // the file changes, the stream does not run with it
		s.g.plan = s.g.compile(settings(d))
	case "pipeline":
		if s.g == nil {
			s.g = newRigOf(s.t, d.Input)
			break
		}
		s.g.plan = s.g.compileText(d.Input)
		s.g.deploy()
	case "file": // the file changes, the stream does not run with it
		s.g.plan = s.g.compileText(d.Input)
	case "records":
		s.g.records(arg(d, "topic"), arg(d, "partition"), d.Input)
	case "update":
		s.g.update()
	case "send":
		s.g.send(orders(d.Input)...)
	case "stream":
		s.g.hold = d.HasArg("without-landing")
		s.g.stream()
		s.g.hold = false
	case "end":
		s.g.end()
	case "raise":
		s.g.raise(msOf(arg(d, "to")))
	case "clock":
		by, err := time.ParseDuration(arg(d, "by"))
		s.g.must(err)
		s.g.clock = s.g.clock.Add(by)
	case "publish":
		return s.foreign(d)
	case "bucket":
		return s.tamper(d)
	default:
		return s.ask(d)
	}
	return ""
}

// ask runs the commands that say something.
func (s *scenario) ask(d *datadriven.TestData) string {
	r := s.g.reconciler(func(o *Options) { o.Limits = s.limits })
	switch d.Cmd {
	case "plan":
		p, err := r.Plan(s.g.ctx, PlanOptions{All: d.HasArg("all"), Since: timeArg(d, "since"), Until: timeArg(d, "until")})
		if err != nil {
			return s.failure(err)
		}
		return s.planText(p)
	case "apply":
		o := ApplyOptions{All: d.HasArg("all")}
		if d.HasArg("approve") {
			o.Approve, o.By, o.Reason = s.idOf(arg(d, "approve")), "ann", "looked at it"
		}
		rep, err := r.Apply(s.g.ctx, o)
		out := ""
		if rep != nil {
			out = s.reportText(rep)
		}
		return out + s.failure(err)
	case "audit":
		a, err := r.Audit(s.g.ctx)
		if err != nil {
			return s.failure(err)
		}
		return auditText(a)
	case "explain":
		e, err := r.Explain(s.g.ctx, ExplainOptions{Output: arg(d, "output"), Key: arg(d, "key"), Window: timeOf(msOf(arg(d, "window"))), Events: d.HasArg("events")})
		if err != nil {
			return s.failure(err)
		}
		return explainText(e)
	case "curated":
		return strings.Join(s.g.revisions(), "\n") + "\n"
	case "certificates":
		return s.certificates()
	case "units":
		o, err := r.Overview(s.g.ctx)
		if err != nil {
			return s.failure(err)
		}
		return fmt.Sprintf("due %d waiting %d clean %d\n", o.Due, o.Waiting, o.Clean) + unitsText(o.Units)
	}
	s.t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

func (s *scenario) failure(err error) string {
	if err == nil {
		return ""
	}
	kind := "error"
	var held *HeldError
	var guard *GuardError
	var stale *StaleError
	var damaged *DamagedError
	switch {
	case errors.As(err, &damaged) && !errors.As(err, &stale):
		kind, err = "damaged", errors.New(maskHashes(strings.ReplaceAll(err.Error(), "(corrupt", "( corrupt")))
	case errors.As(err, &held):
		kind = "held"
	case errors.As(err, &guard):
		kind = "refused"
	case errors.As(err, &stale):
		kind = "stale"
	case errors.Is(err, ErrTryAgain):
		kind = "try again"
	}
	return kind + ": " + maskFingerprints(s.mask(err.Error())) + "\n"
}

// mask writes plan ids as P1, P2 in the order in which they are met.
func (s *scenario) mask(text string) string {
	for id, name := range s.ids {
		text = strings.ReplaceAll(text, id, name)
	}
	return text
}

func (s *scenario) named(id string) string {
	if id == "" {
		return "-"
	}
	if s.ids[id] == "" {
		s.ids[id] = "P" + strconv.Itoa(len(s.ids)+1)
	}
	return s.ids[id]
}

func (s *scenario) idOf(name string) string {
	for id, n := range s.ids {
		if n == name {
			return id
		}
	}
	return name
}

func (s *scenario) planText(p *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s: due %d, changing %d, waiting %d, clean %d, older %d\n", s.named(p.ID), p.Due, p.Partitions, p.Waiting, p.Clean, p.Older)
	fmt.Fprintf(&b, "windows %s  causes %s\n", windowsText(p.Windows), jsonText(p.Causes))
	for _, t := range p.Totals {
		fmt.Fprintf(&b, "  %s %s %s -> %s (%s; %s)\n", t.Output, t.Aggregate, t.Before, t.After, t.Delta, t.Method)
	}
	for _, c := range p.Top {
		fmt.Fprintf(&b, "  %s %s %s %s rev %d -> %d:", c.Key, s.window(c.Output, c.WindowStart, c.WindowEnd), c.Kind, c.Cause, c.FromRevision, c.ToRevision)
		for _, v := range c.Values {
			fmt.Fprintf(&b, " %s %s -> %s", v.Aggregate, v.Before, v.After)
		}
		fmt.Fprintf(&b, " %v\n", c.Evidence)
	}
	b.WriteString(unitsText(p.Units))
	b.WriteString("guard " + guardText(p.Guard) + "\n")
	return b.String()
}

func guardText(g Guard) string {
	if g.Rule == "" {
		return g.Verdict
	}
	return g.Verdict + ": " + g.sentence()
}

func windowsText(w Windows) string {
	return fmt.Sprintf("%d = %d equal + %d changed + %d added; %d removed", w.Checked-w.Removed, w.Equal, w.Changed, w.Added, w.Removed)
}

func unitsText(units []Unit) string {
	var b strings.Builder
	for _, u := range units {
		fmt.Fprintf(&b, "  %s %s %s files %d certificate %d", u.Output, u.Partition, u.State, u.Files, u.Certificate)
		if u.State == UnitDue && u.ID != "" {
			fmt.Fprintf(&b, " windows %s", windowsText(u.Windows))
		}
		b.WriteString("\n")
		if u.Damage != "" {
			fmt.Fprintf(&b, "    %s\n", maskHashes(u.Damage))
		}
		for _, w := range u.Waits {
			fmt.Fprintf(&b, "    waits: %s\n", maskFingerprints(w))
		}
	}
	return b.String()
}

// maskFingerprints writes fingerprints, which are 12 hexadecimal digits, as dots.
func maskFingerprints(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if t := strings.TrimRight(w, ",:;"); len(t) == 12 && strings.Trim(t, "0123456789abcdef") == "" {
			words[i] = "............" + w[12:]
		}
	}
	return strings.Join(words, " ")
}

func (s *scenario) reportText(r *Report) string {
	text := fmt.Sprintf("plan %s guard %s: published %d, retracted %d, certified %d, by others %d, waiting %d, clean %d, conflicts %d\n",
		s.named(r.PlanID), guardText(r.Guard), r.Published, r.Retracted, r.Certified, r.ByOthers, r.Waiting, r.Clean, r.Conflict)
	for _, u := range r.Damaged {
		text += fmt.Sprintf("  damaged %s %s: %s\n", u.Output, u.Partition, maskHashes(u.Damage))
	}
	for _, u := range r.Stale {
		text += fmt.Sprintf("  stale %s %s: %s\n", u.Output, u.Partition, u.Why)
	}
	return text
}

func auditText(a *AuditReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d units, %d windows, %d equal, conflicts %d: %s\n", a.Units, a.Windows, a.Equal, a.Conflicts, a.Statement)
	for _, n := range a.NotProven[len(notProven()):] {
		fmt.Fprintf(&b, "  not proven: %s\n", n)
	}
	for _, u := range a.Uncertified {
		fmt.Fprintf(&b, "  uncertified %s %s\n", u.Output, u.Partition)
	}
	for _, u := range a.Behind {
		fmt.Fprintf(&b, "  behind %s %s\n", u.Output, u.Partition)
	}
	for _, u := range a.Damaged {
		fmt.Fprintf(&b, "  damaged %s %s: %s\n", u.Output, u.Partition, maskHashes(u.Damage))
	}
	if d := a.Difference; d != nil {
		at := ""
		if d.WindowStart != nil {
			at = d.WindowStart.Format(" 02T15:04")
		}
		fmt.Fprintf(&b, "  difference in %s %s: %s %s%s %s streamed %s batch %s; %s\n",
			d.Output, d.Partition, d.Kind, d.Key, at, d.Field, d.Streamed, d.Batch, maskHashes(d.Detail))
	}
	return b.String()
}

// maskHashes writes SHA-256 and file names, which hash record timestamps, as dots.
func maskHashes(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		t := strings.Trim(w, ",:;")
		switch {
		case strings.HasPrefix(t, "sha256:"):
			words[i] = strings.Replace(w, t, "sha256:...", 1)
		case len(t) == 64:
			words[i] = strings.Replace(w, t, "...", 1)
		case strings.HasPrefix(t, "raw/"):
			words[i] = strings.Replace(w, t, t[:strings.LastIndexByte(t, '/')]+"/...", 1)
		}
	}
	return strings.Join(words, " ")
}

func explainText(e *Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s [%s, %s): %s, owner %s; %d events, conflicts %d, equal %v\n", e.Output, e.Key, e.WindowStart.Format("02T15:04"),
		e.WindowEnd.Format("02T15:04"), e.State, e.Owner, e.Aggregated, e.Conflicts, e.Equal)
	for _, r := range e.Ranges {
		fmt.Fprintf(&b, "  range %s/%d %d..%d: %d\n", r.Topic, r.Partition, r.First, r.Last, r.Events)
	}
	list := func(what string, places []EventPlace) {
		for _, p := range places {
			fmt.Fprintf(&b, "  %s %s at %s %s behind %s, %s %s\n", what, p.Place, p.Time.Format("02T15:04"), p.Kind,
				time.Duration(p.BehindMs)*time.Millisecond, maskHashes(p.File), p.Event)
		}
	}
	list("event", e.Events)
	list("late", e.Late)
	list("duplicate", e.Duplicates)
	fmt.Fprintf(&b, "  batch %s\n", valuesText(e.Batch))
	for _, r := range e.Published {
		held := ""
		if r.Held && len(e.Published) > 1 {
			held = ", held"
		}
		fmt.Fprintf(&b, "  revision %d %s %s %s at %s%s\n", r.Revision, r.Status, r.Cause, valuesText(r.Values), r.Place, held)
	}
	if e.Odds != "" {
		fmt.Fprintf(&b, "  odds: %s\n", e.Odds)
	}
	for _, n := range e.NotLanded {
		fmt.Fprintf(&b, "  not landed: %s\n", n)
	}
	for _, w := range e.Waits {
		fmt.Fprintf(&b, "  waits: %s\n", maskFingerprints(w))
	}
	return b.String()
}

func valuesText(vs []NamedValue) string {
	var parts []string
	for _, v := range vs {
		parts = append(parts, v.Name+" "+v.Value.String())
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// certificates lists what the certificates say that does not hash record timestamps, and checks that they chain.
func (s *scenario) certificates() string {
	text := ""
	for _, out := range s.g.plan.Outputs {
		if len(s.g.plan.Outputs) > 1 {
			text += out.Name + "\n"
		}
		text += s.certificatesOf("reconcile/" + s.g.plan.Pipeline.Name + "/" + out.Name + "/")
	}
	return text
}

func (s *scenario) certificatesOf(prefix string) string {
	var b strings.Builder
	s.g.must(s.g.bucket.List(s.g.ctx, prefix, func(o blob.Object) error {
		data, err := s.g.bucket.Get(s.g.ctx, o.Key)
		if err != nil {
			return err
		}
		c, err := decodeCertificate(data)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s #%d follows=%v files %d windows %d equal %d corrected %d consumed %d = %d + %d + %d conflicts %d\n", c.Partition, c.Number,
			c.Previous != nil, len(c.Input.Files), c.Result.Windows, c.Compared.Equal, c.Compared.Corrected, c.Accounting.Consumed,
			c.Accounting.Aggregated, c.Accounting.Duplicate, c.Accounting.Invalid, c.Accounting.Conflicts)
		if h := c.Input.History; h != nil {
			fmt.Fprintf(&b, "  history: %d files of %s\n", h.Files, h.Topic)
		}
		for _, x := range c.Corrections {
			fmt.Fprintf(&b, "  %s %s %s rev %d -> %d %s %s before=%v after=%v %v\n", x.Key, s.window(c.Output, x.WindowStart, x.WindowEnd), x.Kind, x.FromRevision,
				x.ToRevision, x.Cause, jsonText(x.Causes), x.Before != nil, x.After != nil, x.Evidence)
		}
		if c.Approved != nil {
			fmt.Fprintf(&b, "  approved %s by %s: %s\n", s.named(c.Approved.Plan), c.Approved.By, c.Approved.Reason)
		}
		return nil
	}))
	return b.String()
}

// window is a window of an output.
func (s *scenario) window(output string, start, end time.Time) string {
	for i := range s.g.plan.Outputs {
		if s.g.plan.Outputs[i].Name == output {
			return s.g.windowText(i, start, end)
		}
	}
	return output
}

// foreign publishes a curated record that neither lane computed.
func (s *scenario) foreign(d *datadriven.TestData) string {
	group, err := s.g.plan.Codecs[0].ParseKey(arg(d, "key"))
	s.g.must(err)
	start := msOf(arg(d, "window"))
	events, err := strconv.ParseInt(arg(d, "orders"), 10, 64)
	s.g.must(err)
	revision, err := strconv.ParseInt(arg(d, "revision"), 10, 64)
	s.g.must(err)
	row := &curated.Row{Key: group, Start: start, End: start + s.g.plan.Outputs[0].Size, Revision: revision, Status: curated.Closed,
		Cause: curated.CauseClose, Events: events}
	if d.HasArg("retracted") {
		row.Status = curated.Retracted
	}
	row.Values = append(row.Values, intNumber(events).v, intNumber(0).v, intNumber(events).v, floatNumber(math.Pi).v, floatNumber(math.Pi).v)
	row.Values = row.Values[:len(s.g.plan.Outputs[0].Aggs)]
	s.g.publish([]*kafka.Record{s.g.row(0, row)}, nil)
	return ""
}

// tamper deletes or alters what a bucket holds: the n-th object under a prefix.
func (s *scenario) tamper(d *datadriven.TestData) string {
	var keys []string
	s.g.must(s.g.bucket.List(s.g.ctx, arg(d, "prefix"), func(o blob.Object) error { keys = append(keys, o.Key); return nil }))
	n := 0
	if d.HasArg("n") {
		var err error
		n, err = strconv.Atoi(arg(d, "n"))
		s.g.must(err)
	}
	if n >= len(keys) {
		return fmt.Sprintf("only %d objects\n", len(keys))
	}
	switch {
	case d.HasArg("delete"):
		s.g.must(s.g.bucket.Delete(s.g.ctx, keys[n]))
	case d.HasArg("cut-short"):
		data, err := s.g.bucket.Get(s.g.ctx, keys[n])
		s.g.must(err)
		s.g.must(s.g.bucket.Put(s.g.ctx, keys[n], data[:len(data)/2]))
	case d.HasArg("replace"):
		data, err := s.g.bucket.Get(s.g.ctx, keys[n])
		s.g.must(err)
		old, with := arg(d, "replace"), arg(d, "by")
		if !strings.Contains(string(data), old) {
			return fmt.Sprintf("no %q in %s\n", old, keys[n])
		}
		s.g.must(s.g.bucket.Put(s.g.ctx, keys[n], sealedAgain(data, strings.Replace(string(data), old, with, 1))))
	}
	return ""
}

// sealedAgain gives a document that had a checksum a right one again: a wrong program, rather than a wrong disk, has been there.
func sealedAgain(was []byte, text string) []byte {
	if sealed, err := unsealJSON(was); err != nil || !sealed {
		return []byte(text)
	}
	return sealJSON([]byte(text[:len(text)-sealSize] + "\n}\n"))
}

func arg(d *datadriven.TestData, name string) string {
	for _, a := range d.CmdArgs {
		if a.Key == name {
			return strings.Join(a.Vals, ",")
		}
	}
	return ""
}

func timeArg(d *datadriven.TestData, name string) time.Time {
	if a := arg(d, name); a != "" {
		return timeOf(msOf(a))
	}
	return time.Time{}
}

func settings(d *datadriven.TestData) setting {
	s := setting{}
	for _, a := range d.CmdArgs {
		s[strings.ToUpper(a.Key)] = strings.Join(a.Vals, ",")
	}
	return s
}

// orders reads lines of "id shop time amount qty".
func orders(text string) (out []order) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		qty, err := strconv.ParseInt(f[4], 10, 64)
		if err != nil {
			panic(err)
		}
		amount := f[3]
		if amount == "-" {
			amount = ""
		}
		out = append(out, order{f[0], f[1], f[2], amount, qty})
	}
	return out
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

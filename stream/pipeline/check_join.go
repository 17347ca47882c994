package pipeline

import (
	"slices"
	"strings"
	"time"
)

// checkJoins checks how several sources meet.
func (p *Pipeline) checkJoins(fs *faultSet) {
	if p.Join != nil && p.Enrich != nil {
		fs.add("enrich", complain("keep one of them, and do the other in a pipeline that reads this one's output", "both join and enrich are given"))
		return
	}
	switch {
	case p.Join != nil:
		between(fs, "join.allowed_lateness", p.Join.AllowedLateness, 0, windowMax)
		fs.required("join.interval", p.Join.Interval == nil, joinForm)
		if j := p.Join.Interval; j != nil {
			p.checkPair(fs, "join", "join.interval", "left", "right", j.Left, j.Right, j.On)
			p.checkBetween(fs, j)
		}
	case p.Enrich != nil:
		e := p.Enrich
		between(fs, "enrich.allowed_lateness", e.AllowedLateness, 0, windowMax)
		p.checkPair(fs, "enrich", "enrich", "source", "with", e.Source, e.With, e.On)
	}
}

func (p *Pipeline) checkBetween(fs *faultSet, j *Interval) {
	const path, form = "join.interval.between", "write the least and the greatest of the right event's time minus the left one's, as in [0s, 10m]"
	if len(p.places) > 0 {
		fs.required(path, !p.given(path), form)
	}
	between(fs, path+"[0]", j.Lower, -windowMax, windowMax)
	between(fs, path+"[1]", j.Upper, -windowMax, windowMax)
	if fs.clean(path+"[0]") && fs.clean(path+"[1]") && j.Lower > j.Upper {
		fs.add(path, complain("write the smaller one first, as in [0s, 10m] or [-5m, 5m]", "%s is more than %s", formatDuration(j.Lower), formatDuration(j.Upper)))
	}
}

// checkPair checks the two sources of a join and the fields on which they meet. what is join or enrich; a and b are the keys
// that name the sources.
func (p *Pipeline) checkPair(fs *faultSet, what, path, a, b, first, second string, on map[string][]string) {
	if !fs.clean("sources") || !fs.clean("source") {
		return
	}
	if len(p.Sources) != 2 {
		hint := "write sources: {name: {topic: ...}, name: {topic: ...}} instead of source"
		if len(p.Sources) > 2 {
			hint = "leave the others out; their events can be joined by a pipeline that reads this one's output"
		}
		fs.add(what, complain(hint, "needs two sources, not %d", max(len(p.Sources), 1)))
		return
	}
	names := []string{p.Sources[0].Name, p.Sources[1].Name}
	both := names[0] + " or " + names[1]
	for _, side := range []struct{ key, name string }{{a, first}, {b, second}} {
		fs.required(path+"."+side.key, side.name == "", "name a source: "+both)
		if c := knownName(side.name, names, "source"); c != nil {
			fs.add(path+"."+side.key, c)
		}
	}
	if first == second && first != "" {
		fs.add(path+"."+b, complain("name the other source; to pair events of one topic, group them in windows", "%s and %s are the same source", a, b))
	}
	fs.required(path+".on", len(on) == 0, "name the fields that must be equal, the key of each source: "+p.onForm())
	for _, name := range sortedKeys(on) {
		if c := knownName(name, names, "source"); c != nil {
			fs.addKey(path+".on."+name, c)
		}
	}
	if len(on) > 0 {
		p.checkOn(fs, path+".on", on)
	}
}

// checkOn checks that sources meet on their keys: only then do events that belong together lie in one partition.
func (p *Pipeline) checkOn(fs *faultSet, path string, on map[string][]string) {
	for i := range p.Sources {
		s := &p.Sources[i]
		fields, given := on[s.Name]
		at := path + "." + s.Name
		if !given {
			fs.add(path, complain("write "+p.onForm(), "lacks the fields of %s", s.Name))
			continue
		}
		if j := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, s.Name+".") }); j >= 0 {
			fs.add(element(at, j), complain("leave the source's name out: "+strings.TrimPrefix(fields[j], s.Name+"."), "%q is written with its source", fields[j]))
			continue
		}
		if !slices.Equal(fields, s.Key) && len(s.Key) > 0 && !slices.Contains(fields, "") {
			fs.add(at, complain("write "+p.onForm()+"; or have the topic keyed by what the join needs: events that meet must lie in partitions of the same number",
				"[%s] is not the key of %s, [%s]", strings.Join(fields, ", "), s.Name, strings.Join(s.Key, ", ")))
		}
	}
	a, b := &p.Sources[0], &p.Sources[1]
	if len(a.Key) != len(b.Key) && len(a.Key) > 0 && len(b.Key) > 0 {
		fs.add(path, complain("key both topics by the same number of fields", "%s has a key of %d, %s of %d", a.Name, len(a.Key), b.Name, len(b.Key)))
	}
}

// onForm is what on must be.
func (p *Pipeline) onForm() string {
	sides := make([]string, len(p.Sources))
	for i, s := range p.Sources {
		sides[i] = s.Name + ": [" + strings.Join(s.Key, ", ") + "]"
	}
	return "on: {" + strings.Join(sides, ", ") + "}"
}

// joined is the join's allowed lateness, where it stands in the file, and whether there is a join.
func (p *Pipeline) joined() (lateness time.Duration, path string, ok bool) {
	switch {
	case p.Join != nil:
		return p.Join.AllowedLateness, "join", true
	case p.Enrich != nil:
		return p.Enrich.AllowedLateness, "enrich", true
	}
	return 0, "", false
}

// checkJoinedOutput checks what a join asks of an output.
func (p *Pipeline) checkJoinedOutput(fs *faultSet, path string, o *Output) {
	lateness, what, ok := p.joined()
	if !ok || len(p.Sources) != 2 || !fs.clean(what) {
		return
	}
	if o.AllowedLateness < lateness {
		fs.add(path+"allowed_lateness", complain("write "+formatDuration(lateness)+" or more, or leave it out",
			"%s is less than that of the %s, %s: windows would close before their events are joined", formatDuration(o.AllowedLateness), what, formatDuration(lateness)))
	}
	if o.GroupBy == nil || slices.Contains(o.GroupBy, "") {
		return
	}
	sides := p.Sources
	if p.Enrich != nil { // the fields of the version are null where there is none
		sides = slices.DeleteFunc(slices.Clone(sides), func(s NamedSource) bool { return s.Name != p.Enrich.Source })
	}
	if len(sides) == 0 || slices.ContainsFunc(sides, func(s NamedSource) bool { return len(s.Key) != len(sides[0].Key) }) {
		return
	}
	for i := range sides[0].Key {
		var names []string
		for _, s := range sides {
			names = append(names, s.Name+"."+s.Key[i])
		}
		if !slices.ContainsFunc(names, func(name string) bool { return p.groupsBy(o, name) }) {
			fs.add(path+"group_by", complain("add "+strings.Join(names, " or ")+"; to group by something else, let another pipeline read this one's output",
				"does not contain the key on which the sources are joined"))
			return
		}
	}
}

// groupsBy reports whether a group has to do with a field, directly or through lets. That it goes by it, so that a group
// never lies in two partitions, is checked when its expressions are compiled.
func (p *Pipeline) groupsBy(o *Output, field string) bool {
	var texts []string
	for _, name := range o.GroupBy {
		if text, ok := o.GroupExprs[name]; ok {
			name = text
		}
		texts = append(texts, name)
	}
	for seen := make(map[string]bool); len(texts) > 0; {
		last := len(texts) - 1
		names := namesIn(texts[last])
		texts = texts[:last]
		if slices.Contains(names, field) {
			return true
		}
		for _, l := range p.Let {
			if !seen[l.Name] && slices.Contains(names, l.Name) {
				seen[l.Name] = true
				texts = append(texts, l.Expr)
			}
		}
	}
	return false
}

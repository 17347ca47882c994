package pipeline

import (
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// topicNameMax is Kafka's longest topic name.
const topicNameMax = 249

// reasonMax is the longest reason for an output that is not reconciled, in bytes.
const reasonMax = 500

// checkNames checks the names of the pipeline and of all topics, each for itself and against the others.
func (p *Pipeline) checkNames(fs *faultSet) {
	fs.required("pipeline", p.Name == "", "name the pipeline: the name is its consumer group and the place of its state")
	if c := checkName(p.Name, topicNameMax-len(repartitionSuffix)); c != nil {
		fs.add("pipeline", c)
	}
	p.checkTopics(fs)
	for i := range p.Outputs {
		name, path := p.Outputs[i].Name, element("outputs", i)+".name"
		fs.required(path, name == "", "name the output: it is the topic's name")
		if name == "" {
			continue
		}
		c := checkName(name, topicNameMax)
		switch {
		case c != nil:
		case !isLetter(name[0]):
			c = complain("begin with a letter: the name becomes an Avro name", "%q does not begin with a letter", name)
		case slices.ContainsFunc(p.allSources(), func(s sourceRef) bool { return sameTopic(name, s.Topic) }):
			c = complain("give the output a name of its own", "%q is the source's topic", name)
		case sameTopic(name, p.JournalTopic()):
			c = complain("give the output another name", "%q is the name of the pipeline's journal", name)
		case sameTopic(name, p.RepartitionTopic()):
			c = complain("give the output another name", "%q is the name of the pipeline's repartition topic", name)
		default:
			c = p.clash(i)
		}
		if c != nil {
			fs.add(path, c)
		}
	}
}

// checkTopics checks the topics that are read.
func (p *Pipeline) checkTopics(fs *faultSet) {
	if p.given("sources") && len(p.Sources) == 0 {
		return
	}
	all := p.allSources()
	for i, s := range all {
		path := s.path + ".topic"
		fs.required(path, s.Topic == "", "name the topic to read")
		if c := checkTopic(s.Topic); c != nil {
			fs.add(path, c)
		}
		if p.Name != "" && sameTopic(s.Topic, p.JournalTopic()) {
			fs.add(path, complain("read another topic, or give the pipeline another name", "%q is the pipeline's own journal", s.Topic))
		}
		if p.Name != "" && sameTopic(s.Topic, p.RepartitionTopic()) {
			fs.add(path, complain("read another topic, or give the pipeline another name", "%q is the pipeline's own repartition topic", s.Topic))
		}
		if s.Topic != "" && slices.ContainsFunc(all[:i], func(o sourceRef) bool { return o.Topic == s.Topic }) {
			fs.add(path, complain("read each topic by one source; expressions can tell its events apart", "another source reads %q", s.Topic))
		}
	}
}

// clash complains if an earlier output has a name that can't be told from output i's, as a topic or in Avro.
func (p *Pipeline) clash(i int) *complaint {
	name := p.Outputs[i].Name
	for j := range i {
		other := p.Outputs[j].Name
		if other == name {
			return complain("give each output a name of its own", "another output is named %q", name)
		}
		if curated.AvroName(other) == curated.AvroName(name) {
			return complain("use names that differ in more than dots, dashes and underscores", "%q can't be told from the output %q: both are %s in Avro", name, other, curated.AvroName(name))
		}
	}
	return nil
}

// checkName checks a name that Tidemark gives to topics, directories and transactions.
func checkName(name string, max int) *complaint {
	if c := checkTopic(name); c != nil || name == "" {
		return c
	}
	if first := name[0]; !isLetter(first) && (first < '0' || first > '9') {
		return complain("begin with a letter or digit", "%q begins with %q", name, first)
	}
	if len(name) > max {
		return complain("choose a shorter name", "the name has %d characters, more than %d", len(name), max)
	}
	return nil
}

// checkTopic checks what Kafka allows as the name of a topic. An empty name is reported as missing, not here.
func checkTopic(name string) *complaint {
	for _, c := range name {
		if c > 127 || !isLetter(byte(c)) && (c < '0' || c > '9') && !strings.ContainsRune("._-", c) {
			return complain("use letters, digits, '.', '_' and '-', as Kafka's topics have", "%q is no legal name: it holds %q", name, c)
		}
	}
	if name == "." || name == ".." {
		return complain("choose another name", "%q is no legal name", name)
	}
	if len(name) > topicNameMax {
		return complain("choose a shorter name", "the name has %d characters, more than %d", len(name), topicNameMax)
	}
	return nil
}

// sameTopic reports whether Kafka takes two names for one: its metrics can't tell '.' from '_', so it refuses to make
// a topic that differs from another only there.
func sameTopic(a, b string) bool {
	return strings.ReplaceAll(a, ".", "_") == strings.ReplaceAll(b, ".", "_")
}

// checkOutput checks one output, its names of fields included.
func (p *Pipeline) checkOutput(fs *faultSet, i int) {
	o, path := &p.Outputs[i], element("outputs", i)+"."
	if i == window.OutputsMax {
		fs.add(element("outputs", i), complain("split the pipeline in two", "a pipeline has at most %d outputs", window.OutputsMax))
	}
	p.checkGroupBy(fs, path+"group_by", o)
	p.checkWindow(fs, path+"window", &o.Window)
	between(fs, path+"allowed_lateness", o.AllowedLateness, 0, windowMax)
	p.checkJoinedOutput(fs, path, o)
	checkLate(fs, path+"late", o)
	p.checkEmit(fs, path+"emit", o)
	if n := o.Topic.Partitions; n < 1 || n > partitionsMax {
		fs.add(path+"topic.partitions", complain("write a whole number from 1 to 10000", "%d is out of range", n))
	}
	if n := o.Topic.Replication; n < 0 {
		fs.add(path+"topic.replication", complain("write how many brokers keep a copy, or leave it out", "%d is out of range", n))
	}
	fs.required(path+"aggregate", len(o.Aggregate) == 0, "name what is computed, as in aggregate: {events: count()}")
	if len(o.Aggregate) > window.AggsMax {
		fs.add(path+"aggregate", complain("split the output in two", "an output has at most %d aggregates, not %d", window.AggsMax, len(o.Aggregate)))
	}
	p.checkAggregateNames(fs, i)
}

// checkGroupBy checks the form of a group. What the names stand for is looked up later.
func (p *Pipeline) checkGroupBy(fs *faultSet, path string, o *Output) {
	fs.required(path, o.GroupBy == nil, "name the fields of a group, as in [origin]; write [] for one group of all events")
	noRepeats(fs, path, o.GroupBy)
	for i, name := range o.GroupBy {
		at := element(path, i)
		text, isExpr := o.GroupExprs[name]
		switch {
		case name == "":
		case isExpr && !isName(name):
			fs.addKey(at, complain("use letters, digits and underscores, and no digit first", "%q is no legal name of a field", name))
		case isExpr && strings.TrimSpace(text) == "":
			fs.add(at, complain("write an expression", "is empty"))
		case !isExpr && !isPath(name):
			fs.add(at, complain("give the expression a name, as in "+named(name), "%q is no name of a field or let", name))
		}
	}
	for _, name := range sortedKeys(o.GroupExprs) {
		if !slices.Contains(o.GroupBy, name) {
			fs.add(path, complain("add it to GroupBy, or take its expression out", "%q has an expression and is not grouped by", name))
		}
	}
}

// named is an expression with a name: its own, if it was written as SQL or an assignment would.
func named(text string) string {
	if name, text, ok := strings.Cut(text, " = "); ok && isName(name) {
		return "{" + name + ": " + text + "}"
	}
	for _, as := range []string{" as ", " AS "} {
		if text, name, ok := strings.Cut(text, as); ok && isName(name) {
			return "{" + name + ": " + text + "}"
		}
	}
	return "{some_name: " + text + "}"
}

// checkLate checks what becomes of late events.
func checkLate(fs *faultSet, path string, o *Output) {
	oneOf(fs, path, o.Late, LateReconcile, LateOff)
	switch {
	case o.Late == LateOff:
		fs.required(path+"."+LateOff, strings.TrimSpace(o.LateOffReason) == "", `say why, as in late: {off: "a dashboard of the last hour"}`)
		if len(o.LateOffReason) > reasonMax {
			fs.add(path+"."+LateOff, complain("say it in fewer words", "the reason has %d bytes, more than %d", len(o.LateOffReason), reasonMax))
		}
	case o.LateOffReason != "":
		fs.add(path, complain(`write late: {off: "the reason"}`, "a reason goes with off only"))
	}
}

func (p *Pipeline) checkAggregateNames(fs *faultSet, i int) {
	o := &p.Outputs[i]
	path := element("outputs", i)
	taken := map[string]string{"window_start": "the window's start", "window_end": "the window's end"}
	for j, field := range o.GroupBy {
		name := groupName(field)
		if field == "" {
			continue
		}
		switch other, clash := taken[name]; {
		case strings.HasPrefix(name, "_"):
			fs.add(element(path+".group_by", j), complain("name it without the underscore in let, and group by that", "%q begins with an underscore, which is kept for the fields that Tidemark adds", field))
		case clash && other != "the group field "+field:
			fs.add(element(path+".group_by", j), complain("give it another name in let, and group by that", "%q would be the name of both %s and the group field %s in the curated record", name, other, field))
		}
		taken[name] = "the group field " + field
	}
	for j := range o.Aggregate {
		name := o.Aggregate[j].Name
		var c *complaint
		switch other, clash := taken[name]; {
		case strings.HasPrefix(name, "_"):
			c = complain("begin with a letter", "%q begins with an underscore, which is kept for the fields that Tidemark adds", name)
		case !isName(name):
			c = complain("use letters, digits and underscores, and no digit first", "%q is no legal name of a field", name)
		case clash:
			c = complain("choose another name", "%q is already the name of %s in the curated record", name, other)
		}
		if c != nil {
			fs.addKey(path+".aggregate."+name, c)
		}
		taken[name] = "another aggregate"
	}
}

// groupName is the name of a group field in the curated record, where names have no dots.
func groupName(field string) string { return strings.ReplaceAll(field, ".", "_") }

// isName reports whether a name is legal in Avro and in expressions.
func isName(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; !isLetter(c) && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= topicNameMax
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

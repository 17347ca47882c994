package pipeline

import (
	"slices"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

const journalSuffix = "-journal"

// topicNameMax is Kafka's longest topic name.
const topicNameMax = 249

// checkNames checks the names of the pipeline and of all topics, each for itself and against the others.
func (p *Pipeline) checkNames(fs *faultSet) {
	fs.required("pipeline", p.Name == "", "name the pipeline: the name is its consumer group and the place of its state")
	if c := checkName(p.Name, topicNameMax-len(journalSuffix)); c != nil {
		fs.add("pipeline", c)
	}
	fs.required("source.topic", p.Source.Topic == "", "name the topic to read")
	if c := checkTopic(p.Source.Topic); c != nil {
		fs.add("source.topic", c)
	}
	if p.Name != "" && sameTopic(p.Source.Topic, p.JournalTopic()) {
		fs.add("source.topic", complain("read another topic, or give the pipeline another name", "%q is the pipeline's own journal", p.Source.Topic))
	}
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
		case sameTopic(name, p.Source.Topic):
			c = complain("give the output a name of its own", "%q is the source's topic", name)
		case sameTopic(name, p.JournalTopic()):
			c = complain("give the output another name", "%q is the name of the pipeline's journal", name)
		default:
			c = p.clash(i)
		}
		if c != nil {
			fs.add(path, c)
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
	fs.required(path+"group_by", len(o.GroupBy) == 0, "name the fields of a group, those of source.key among them")
	noRepeats(fs, path+"group_by", o.GroupBy)
	for _, key := range p.Source.Key {
		if key != "" && len(o.GroupBy) > 0 && !slices.Contains(o.GroupBy, key) {
			fs.add(path+"group_by", complain("add "+key+" to group_by; a group over several partitions needs a repartition topic, which is not built yet",
				"does not contain %s, which is in source.key", key))
		}
	}
	fs.required(path+"window.tumbling", o.Window.Tumbling == 0 && !p.given(path+"window.tumbling"), "write window: {tumbling: 1h}")
	if d := o.Window.Tumbling; d < time.Millisecond || d > windowMax {
		fs.add(path+"window.tumbling", complain("write more than 0, and at most 366d", "%s is out of range", formatDuration(d)))
	}
	between(fs, path+"allowed_lateness", o.AllowedLateness, 0, windowMax)
	oneOf(fs, path+"late", o.Late, LateReconcile)
	oneOf(fs, path+"emit", o.Emit, EmitOnClose)
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

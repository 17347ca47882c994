package pipeline

import (
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema/expr"
)

// checkPlacement finds out, per output, whether all events of a group lie in one partition of their source. If not, a
// single source is rekeyed; several sources can't be yet.
func (b *builder) checkPlacement() {
	for i := range b.outputs {
		out, path := &b.outputs[i], element("outputs", i)+".group_by"
		if !b.fs.clean(path) || slices.Contains(out.group, nil) {
			continue
		}
		switch b.shape {
		case Single:
			out.repartition = b.rekeyed(out)
		case CoGroup:
			if b.fs.clean("join") && b.fs.clean("joins") && b.fs.clean("enrich") { // or it was meant to be a join
				b.checkCoGroup(path, out)
			}
		}
	}
}

// rekeyed says why the groups of an output of a single source need the repartition topic, or "".
func (b *builder) rekeyed(out *builtOutput) string {
	s := b.sources[0]
	if len(s.Key) == 0 {
		return "the source declares no key"
	}
	var lacks []string
	for _, key := range s.Key {
		if !slices.ContainsFunc(out.group, func(p *expr.Program) bool { return p.Plain() && p.Fields()[0] == join(s.name, key) }) {
			lacks = append(lacks, key)
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "group_by lacks " + strings.Join(lacks, ", ") + ", by which the topic is keyed"
}

// checkCoGroup checks that every source's key is in the group, at the same places: then events of all sources that
// belong to one group lie in partitions of one number.
func (b *builder) checkCoGroup(path string, out *builtOutput) {
	var first []int
	for i, s := range b.sources {
		places := b.keyPlaces(s, i, out)
		switch {
		case places == nil:
			b.fs.add(path, complain("group by "+b.coalesceForm()+"; other groups of several sources need a repartition topic, which is not built yet",
				"does not contain the key %v of %s", s.Key, s.name))
			return
		case first == nil:
			first = places
		case !slices.Equal(first, places):
			b.fs.add(path, complain("group by "+b.coalesceForm(), "has the keys of %s and %s at different places, so that their events never meet in a group", b.sources[0].name, s.name))
			return
		}
	}
}

// keyPlaces are the places in the group at which an event of source i has the fields of its key; nil if it lacks one.
func (b *builder) keyPlaces(s *builtSource, i int, out *builtOutput) []int {
	places := make([]int, 0, len(s.Key))
	for _, key := range s.Key {
		place := slices.IndexFunc(out.group, func(p *expr.Program) bool {
			for _, f := range b.coalesced(p.Source(), 0) {
				if n, path := b.resolve(f); n == i { // what comes before it is another source's, and null
					return path == key
				}
			}
			return false
		})
		if place < 0 {
			return nil
		}
		places = append(places, place)
	}
	if len(places) == 0 {
		return nil
	}
	return places
}

// coalesceForm is an example of a group field that all sources have.
func (b *builder) coalesceForm() string {
	text := ""
	for i, s := range slices.Backward(b.sources) {
		key := "key"
		if len(s.Key) > 0 {
			key = s.Key[0]
		}
		if name := s.name + "." + key; i == len(b.sources)-1 {
			text = name
		} else {
			text = name + " != null ? " + name + " : " + text
		}
	}
	return "{key: " + text + "}"
}

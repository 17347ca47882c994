package reconcile

import (
	"sort"
	"strings"

	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// gone is the evidence for a published window that the batch has not: nil if there is none. The events of a session are in
// those sessions of its group now that lie where it lay; those of an enriched group are in a group of the same join key.
func (b *batch) gone(p *publishedRow) *evidence {
	if b.session {
		return b.mergedInto(p)
	}
	out := b.moved.of(string(p.row.Key), window.Span{Start: p.row.Start, End: p.row.End})
	return &out
}

// mergedInto gathers the evidence for the sessions of a group that overlap one that is no more.
func (b *batch) mergedInto(p *publishedRow) *evidence {
	var out *evidence
	group := string(p.row.Key)
	for i := sort.Search(len(b.rows), func(i int) bool { return b.rows[i].key >= group }); i < len(b.rows) && strings.HasPrefix(b.rows[i].key, group); i++ {
		r := &b.rows[i]
		if r.row.Start >= p.row.End || r.row.End <= p.row.Start {
			continue
		}
		if out == nil {
			out = &evidence{}
		}
		out.add(&r.seen)
	}
	return out
}

// moved are clues that change in which group events are: late versions of what enriches them, by the join key and the time
// of the events.
type moved struct {
	key   func(group string) string // nil unless the plan enriches; "" if a group doesn't tell its join key
	clues map[string][]timedClue
}

func newMoved(p *pipeline.Plan, output int) moved {
	if p.Shape != pipeline.Enrich {
		return moved{}
	}
	var at []int // of the join key's fields in the group
	left := &p.Sources[p.Join.Left]
	names := p.Pipeline.Outputs[output].GroupBy
	for _, field := range left.Spec.Key {
		for i, name := range names {
			if name == left.Name+"."+field {
				at = append(at, i)
				break
			}
		}
	}
	codec := p.Codecs[output]
	return moved{clues: make(map[string][]timedClue), key: func(group string) string {
		parts := splitKey(codec.FormatKey([]byte(group)))
		if len(at) < len(left.Spec.Key) || len(parts) != len(names) {
			return ""
		}
		var key []string
		for _, i := range at {
			key = append(key, parts[i])
		}
		return strings.Join(key, ",")
	}}
}

// splitKey cuts the text of a group key at its commas, but not at those with a backslash before them.
func splitKey(text string) (parts []string) {
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ',':
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}

func (m *moved) note(group string, t int64, c *clue) {
	if m.key == nil {
		return
	}
	if key := m.key(group); key != "" {
		m.clues[key] = append(m.clues[key], timedClue{t, c})
	}
}

// of is the evidence for events of a window having come to its group, or left it.
func (m *moved) of(group string, w window.Span) (out evidence) {
	if m.key != nil && len(m.clues) > 0 {
		gather(&out, m.clues[m.key(group)], w, always+1)
	}
	return out
}

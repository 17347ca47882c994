package reconcile

import (
	"crypto/sha256"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/curated"
)

// publishedRow is what a consumer holds of one window: the last record of its key, as a table that is upserted, or compaction, keeps
// it. Whoever goes by revisions holds the same, unless the two are at odds.
type publishedRow struct {
	key  string
	row  curated.Row
	hash [sha256.Size]byte
	at   place
	odds *odds // nil: no record of the key has a higher revision, or the same one and another value
}

// odds is why two consumers may hold different values of one window.
type odds struct {
	row   curated.Row // of the highest revision, the first one
	at    place
	twice bool // another record of that revision has another value
}

// exists reports whether the window counts for something: it was published and not retracted.
func (p *publishedRow) exists() bool { return p != nil && p.row.Status != curated.Retracted }

// provisional reports whether the row in force is that of an open window. Those that the reconciler looks at are closed: the
// stream gave this one up, as it does when the pipeline is changed, and whoever waits for its last value waits for us.
func (p *publishedRow) provisional() bool { return p.row.Status == curated.Open }

// highest is the highest revision of the key.
func (p *publishedRow) highest() int64 {
	if p.odds != nil {
		return p.odds.row.Revision
	}
	return p.row.Revision
}

// take makes the next record of the key, in the order of the topic, the last.
func (p *publishedRow) take(codec *curated.Codec, at place, r *curated.Row) {
	switch {
	case p.at.topic == "" || r.Revision > p.highest():
		p.odds = nil
	case p.odds == nil && (r.Revision < p.row.Revision || !codec.Same(&p.row, r)):
		p.odds = &odds{row: p.row, at: p.at, twice: r.Revision == p.row.Revision}
	case p.odds == nil || r.Revision < p.highest(): // as it was
	case !codec.Same(&p.odds.row, r):
		p.odds.twice = true
	case !p.odds.twice: // the highest is the last again
		p.odds = nil
	}
	p.at, p.row = at, cloneRow(r)
}

// oddsText says what is at odds; nothing if nothing is.
func (p *publishedRow) oddsText() string {
	switch o := p.odds; {
	case o == nil:
		return ""
	case p.row.Revision < o.row.Revision:
		return fmt.Sprintf("the last record of the key, at %s, has revision %d, below revision %d at %s: a table that is upserted by key holds the last one, and so does a compacted topic",
			p.at, p.row.Revision, o.row.Revision, o.at)
	default:
		return fmt.Sprintf("revision %d has two values, one of them at %s; the last record of the key is at %s", o.row.Revision, o.at, p.at)
	}
}

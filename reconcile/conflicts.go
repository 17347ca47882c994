package reconcile

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// conflicts counts events that share their event id with another one but differ in time or values. Both count in the
// results; the count is for people. Only events of one unit's windows are compared. Ids and identities are kept by the first
// 8 bytes of their SHA-256: 16 bytes an event, and one wrong count in 10 billion units of 40,000 events.
type conflicts struct {
	fields [][]int           // per source, of the row: the event id
	first  map[uint64]uint64 // id -> identity of the first event that had it
	count  int64
	buf    []byte
}

// newConflicts makes room for about so many events.
func newConflicts(p *pipeline.Plan, events int64) *conflicts {
	c := &conflicts{fields: make([][]int, len(p.Sources)), first: make(map[uint64]uint64, min(events, conflictsRoom))}
	for s := range p.Sources {
		for _, id := range p.Sources[s].EventDef.ID {
			c.fields[s] = append(c.fields[s], p.Sources[s].Reader.Index(id))
		}
	}
	return c
}

// idOf is the event id of an event of a source; false if its source declares none.
func (c *conflicts) idOf(source int, ev *schema.Event) (id uint64, ok bool) {
	if len(c.fields[source]) == 0 {
		return 0, false
	}
	c.buf = append(c.buf[:0], byte(source))
	for _, i := range c.fields[source] {
		v := ev.Row[i]
		c.buf = append(c.buf, byte(v.Kind))
		c.buf = binary.BigEndian.AppendUint64(c.buf, v.Num)
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(v.Bytes)))
		c.buf = append(c.buf, v.Bytes...)
	}
	sum := sha256.Sum256(c.buf)
	return binary.BigEndian.Uint64(sum[:]), true
}

// observe takes an event that is no duplicate, by its id and its identity.
func (c *conflicts) observe(id uint64, identity [16]byte) {
	self := binary.BigEndian.Uint64(identity[:])
	if other, ok := c.first[id]; !ok {
		c.first[id] = self
	} else if other != self {
		c.count++
	}
}

// conflictsRoom bounds what is allocated ahead.
const conflictsRoom = 1 << 20

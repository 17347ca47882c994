package reconcile

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// conflicts counts events that share their event id with another one but differ in time or values. Both count in the
// results; the count is for people. Only events of one unit's windows are compared.
type conflicts struct {
	fields []int // of the row: the event id
	first  map[[16]byte][16]byte
	count  int64
	buf    []byte
}

func newConflicts(p *pipeline.Plan) *conflicts {
	c := &conflicts{first: make(map[[16]byte][16]byte)}
	for _, id := range p.EventDef.ID {
		c.fields = append(c.fields, p.Decoder.Index(id))
	}
	return c
}

// observe takes an event that is no duplicate, and its identity.
func (c *conflicts) observe(ev *schema.Event, identity [16]byte) {
	if len(c.fields) == 0 {
		return
	}
	c.buf = c.buf[:0]
	for _, i := range c.fields {
		v := ev.Row[i]
		c.buf = append(c.buf, byte(v.Kind))
		c.buf = binary.BigEndian.AppendUint64(c.buf, v.Num)
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(v.Bytes)))
		c.buf = append(c.buf, v.Bytes...)
	}
	sum := sha256.Sum256(c.buf)
	id := [16]byte(sum[:16])
	if other, ok := c.first[id]; !ok {
		c.first[id] = identity
	} else if other != identity {
		c.count++
	}
}

package streamtest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Profile says what a generated log is like. Shares are of all events, 0 to 1.
type Profile struct {
	Seed       uint64
	Events     int
	Customers  int
	Late       float64 // come up to six hours late
	Duplicates float64 // are sent again, some much later
	Conflicts  float64 // are sent again with another value
	Invalid    float64 // are followed by a record that is not an event
	FarFuture  int     // events stamped in 2099
	Gaps       int     // silences of two days, each followed by one record far ahead of all others
}

// Message is one record to produce: its key text and value; a nil value is a null.
type Message struct {
	Key   string
	Value []byte
}

// Log generates the messages of a profile, in the order of arrival: a function of the profile alone.
func (p Profile) Log() []Message {
	r := rand.New(rand.NewPCG(p.Seed, 0x7164656d61726b))
	g := &generator{r: r, p: p, now: 1_700_000_000_000}
	gapEvery := math.MaxInt
	if p.Gaps > 0 {
		gapEvery = max(p.Events/(p.Gaps+1), 1)
	}
	for i := range p.Events {
		g.now += int64(r.IntN(4000))
		if i > 0 && i%gapEvery == 0 {
			g.now += 48 * 3_600_000
		}
		o := g.order(i)
		g.send(o)
		g.trouble(o)
	}
	for i := range p.FarFuture {
		o := g.order(p.Events + i)
		o.at = 4_070_908_800_000 + int64(i) // 2099-01-01
		at := r.IntN(len(g.out))
		g.out = slices.Insert(g.out, at, Message{o.customer, o.encode()})
	}
	return g.out
}

type generator struct {
	r    *rand.Rand
	p    Profile
	now  int64
	out  []Message
	sent []order
}

type order struct {
	id, customer string
	at, sentAt   int64
	amount       float64
	quantity     int64
	weight       float32
	pieces       int32
	discount     *float64
}

func (g *generator) order(i int) order {
	r := g.r
	o := order{
		id: fmt.Sprintf("o%06d", i), customer: fmt.Sprintf("c%d", r.IntN(g.p.Customers)),
		at: g.now - int64(r.IntN(50_000)), sentAt: g.now,
		quantity: r.Int64N(1 << 40), weight: float32(r.NormFloat64()), pieces: int32(r.IntN(3)),
	}
	// Amounts of very different size: a sum that isn't exact shows in its last bits.
	o.amount = math.Ldexp(r.Float64()*200-20, r.IntN(30)-15)
	if r.IntN(3) == 0 {
		d := r.NormFloat64()
		o.discount = &d
	}
	if r.Float64() < g.p.Late {
		o.at -= int64(r.IntN(6 * 3_600_000))
	}
	return o
}

func (g *generator) send(o order) {
	g.out = append(g.out, Message{o.customer, o.encode()})
	g.sent = append(g.sent, o)
}

// trouble adds what surrounds an event in a real log: copies, conflicting copies, and bytes that are no event.
func (g *generator) trouble(o order) {
	r := g.r
	if r.Float64() < g.p.Duplicates {
		again := g.sent[max(0, len(g.sent)-1-r.IntN(200))]
		again.sentAt = g.now // not read by the pipeline: still the same event
		g.out = append(g.out, Message{again.customer, again.encode()})
	}
	if r.Float64() < g.p.Conflicts {
		o.quantity++
		g.out = append(g.out, Message{o.customer, o.encode()})
	}
	if r.Float64() < g.p.Invalid {
		good := o.encode()
		bad := [][]byte{nil, {}, good[:r.IntN(len(good))], append(good, 0), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}
		g.out = append(g.out, Message{o.customer, bad[r.IntN(len(bad))]})
	}
}

// encode writes the order's Avro bytes by hand: the test kit leans on none of the codecs it tests.
func (o order) encode() []byte {
	b := appendString(nil, o.id)
	b = appendString(b, o.customer)
	b = binary.AppendVarint(b, o.at)
	b = binary.AppendVarint(b, o.sentAt)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(o.amount))
	b = binary.AppendVarint(b, o.quantity)
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(o.weight))
	b = binary.AppendVarint(b, int64(o.pieces))
	if o.discount == nil {
		b = append(b, 0)
	} else {
		b = append(b, 2)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(*o.discount))
	}
	b = append(b, 2) // one tag: block count, then the string, then the end
	b = appendString(b, "t")
	return append(b, 0)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}

// BigOrder is a valid order whose payload is so many bytes long, in a field that no pipeline reads.
func BigOrder(customer string, size int) []byte {
	o := order{id: "big", customer: customer, at: 1_700_000_100_000, amount: 1}
	b := o.encode()
	b = b[:len(b)-4] // the tags: a block of one, "t", the end
	b = binary.AppendVarint(b, 1)
	b = append(binary.AppendVarint(b, int64(size)), make([]byte, size)...)
	return append(b, 0)
}

package streamtest

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// metaLog is what happens to a pipeline: records by source and partition, and cuts with decisions.
type metaLog struct {
	values [][][][]byte // by source, partition, offset
	notes  [][][]string // what each is, for people
	cuts   []metaCut
}

// metaCut is a position in every partition, at which all that comes before is processed; then the decisions are taken.
type metaCut struct {
	at     [][]int // by source and partition: records before it
	raises []metaRaise
}

// metaRaise is a decision: the watermark of a source's partition becomes at least mark.
type metaRaise struct {
	source    int
	partition int32
	mark      int64
}

const (
	metaTimeMin = -62_135_596_800_000 // 0001-01-01T00:00:00Z
	metaTimeMax = 253_402_300_799_999 // 9999-12-31T23:59:59.999Z
	metaEnd     = metaTimeMax + 3000*msDay
)

// logGen makes a metaLog.
type logGen struct {
	*rng
	p     *metaPipeline
	l     *metaLog
	now   int64
	next  int
	sent  [][]*happening // by source
	where [][]int32

	copies int   // one in so many is one
	skew   int64 // ms that each partition of a source without a key lags behind the one before it
}

// newMetaLog is the log of a seed.
func newMetaLog(p *metaPipeline, seed uint64) *metaLog {
	g := &logGen{rng: newRng(seed, 2), p: p, l: &metaLog{}, now: p.base}
	n := 5 + g.IntN(pickOf(g.rng, 10, 30, 56))
	g.copies, g.skew = pickOf(g.rng, 2, 4, 6, 20), pickOf(g.rng, 0, p.unit, 2*p.unit, 5*p.unit)
	for range p.sources {
		g.l.values = append(g.l.values, make([][][]byte, p.width))
		g.l.notes = append(g.l.notes, make([][]string, p.width))
		g.sent, g.where = append(g.sent, nil), append(g.where, nil)
	}
	for i, cut := 0, 1+g.IntN(n); i < n; i++ {
		if i == cut {
			g.cut(false)
			cut += 1 + g.IntN(2*n)
		}
		g.step()
	}
	g.cut(true)
	return g.l
}

// cut ends a stretch. The last one mostly closes everything.
func (g *logGen) cut(last bool) {
	c := metaCut{}
	for s := range g.l.values {
		var at []int
		for p := range g.l.values[s] {
			at = append(at, len(g.l.values[s][p]))
		}
		c.at = append(c.at, at)
	}
	mark := g.now + g.Int64N(6*g.p.unit) - 3*g.p.unit
	every := g.one(2)
	if last && !g.one(4) {
		mark, every = metaEnd, true
	}
	if every || g.one(2) {
		for s := range g.l.values {
			for p := range g.p.width {
				if every || g.one(2) {
					c.raises = append(c.raises, metaRaise{s, p, mark})
				}
			}
		}
	}
	g.l.cuts = append(g.l.cuts, c)
}

// step is one event, and what goes wrong around it.
func (g *logGen) step() {
	u := g.p.unit
	g.now += g.Int64N(pickOf(g.rng, u/4, u, 2*u) + 1)
	switch g.IntN(40) {
	case 0:
		g.now += u * int64(10+g.IntN(200)) // silence, then one far ahead
	case 1:
		g.now += u * int64(3+g.IntN(10))
	}
	s := g.IntN(len(g.p.sources))
	src := &g.p.sources[s]
	if len(g.sent[s]) > 0 && g.one(g.copies) {
		g.again(s)
		return
	}
	if g.one(16) {
		g.garbage(s)
		return
	}
	h := g.happening(src)
	t, at := g.time(), g.partition(src, h)
	if len(src.key) == 0 {
		t -= int64(at) * g.skew
	}
	g.stamp(src, h, t)
	g.send(s, h, at, "")
}

// time of an event: about now, on some boundary, exactly so far from another event, late, or absurd.
func (g *logGen) time() int64 {
	u := g.p.unit
	t := g.now - g.Int64N(2*u+1)
	switch g.IntN(24) {
	case 0, 1, 2:
		t = t - mod(t, u) + int64(g.IntN(3)-1)
	case 3, 4:
		t = t - mod(t, u)
	case 5, 6:
		t -= g.Int64N(30*u + 1) // late, perhaps for all
	case 7, 8, 9:
		other := g.IntN(len(g.sent))
		if sent := g.sent[other]; len(sent) > 0 {
			src, h := &g.p.sources[other], sent[max(0, len(sent)-1-g.IntN(6))]
			t = oracleStamp{h.values[src.time].(int64), src.field(src.time).typ == "micros"}.ms()
			o := &g.p.outputs[g.IntN(len(g.p.outputs))]
			t += pickOf(g.rng, o.gap, -o.gap, o.gap-1, o.size, -o.size, o.lateness, g.p.lower, g.p.upper, -g.p.upper, g.p.upper+1, 0, 0, 1)
		}
	case 10:
		if g.one(3) {
			t = pickOf(g.rng, g.now+g.Int64N(100*u+1), g.now+1000*msDay, g.now+1000*msDay+1, metaTimeMax, metaTimeMax-2*u, metaTimeMin, metaTimeMax+1, metaTimeMin-1)
		}
	}
	return t
}

func mod(t, n int64) int64 { return ((t % n) + n) % n }

// again sends a copy of an earlier event, or one that claims to be it.
func (g *logGen) again(s int) {
	src := &g.p.sources[s]
	i := g.IntN(len(g.sent[s]))
	if !g.one(3) {
		i = max(0, len(g.sent[s])-1-g.IntN(5))
	}
	h, at := g.sent[s][i].clone(), g.where[s][i]
	h.values["u"] = g.Int64N(100) // nobody reads it
	if len(src.key) == 0 && g.one(2) {
		at = g.Int32N(g.p.width)
	}
	note := "copy"
	if g.one(4) {
		h.values["n"] = g.Int64N(5)
		h.values["x"] = float64(g.IntN(5)) / 4
		note = "conflict"
	} else if g.one(8) { // the same id at another time is another event
		h.values[src.time] = h.values[src.time].(int64) + pickOf(g.rng, 1, g.p.unit, -g.p.unit)
		note = "moved"
	}
	g.send(s, h, at, note)
}

// garbage sends what is no event.
func (g *logGen) garbage(s int) {
	src := &g.p.sources[s]
	h := g.happening(src)
	g.stamp(src, h, g.now)
	good := src.encode(h, g.rng)
	bad := [][]byte{nil, {}, good[:g.IntN(len(good))], append(slices.Clone(good), 0, 1), []byte(`{"id": 5}`)}
	if src.format == "json" {
		bad = append(bad, []byte(strings.Replace(string(good), `"at"`, `"At"`, 1)), []byte(strings.Replace(string(good), `"n":`, `"n":"", "m":`, 1)))
	} else {
		bad = append(bad, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	}
	g.put(s, g.Int32N(g.p.width), bad[g.IntN(len(bad))], "garbage")
}

func (g *logGen) send(s int, h *happening, partition int32, note string) {
	g.sent[s], g.where[s] = append(g.sent[s], h), append(g.where[s], partition)
	g.put(s, partition, g.p.sources[s].encode(h, g.rng), note)
}

func (g *logGen) put(s int, partition int32, value []byte, note string) {
	g.l.values[s][partition] = append(g.l.values[s][partition], value)
	g.l.notes[s][partition] = append(g.l.notes[s][partition], note)
}

// partition is where the source's key puts the event; anywhere without one.
func (g *logGen) partition(src *metaSource, h *happening) int32 {
	if len(src.key) == 0 {
		return g.Int32N(g.p.width)
	}
	return partitionOf(keyText(src, h.values), g.p.width)
}

func keyText(src *metaSource, values map[string]any) string {
	var parts []string
	for _, k := range src.key {
		parts = append(parts, fmt.Sprint(values[k]))
	}
	return strings.Join(parts, "|")
}

// partitionOf is Kafka's default partitioner: murmur2 of the key, made positive, modulo the number of partitions.
func partitionOf(key string, n int32) int32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(key))
	i := 0
	for ; i+4 <= len(key); i += 4 {
		k := uint32(key[i]) | uint32(key[i+1])<<8 | uint32(key[i+2])<<16 | uint32(key[i+3])<<24
		k *= m
		k ^= k >> 24
		h = h*m ^ k*m
	}
	rest := key[i:]
	if len(rest) > 2 {
		h ^= uint32(rest[2]) << 16
	}
	if len(rest) > 1 {
		h ^= uint32(rest[1]) << 8
	}
	if len(rest) > 0 {
		h = (h ^ uint32(rest[0])) * m
	}
	h = (h ^ h>>13) * m
	h ^= h >> 15
	return int32(h&0x7fffffff) % n
}

func (g *logGen) stamp(src *metaSource, h *happening, t int64) {
	if src.field(src.time).typ == "micros" {
		if t = t * 1000; g.one(3) {
			t += g.Int64N(1000)
		}
	}
	h.values[src.time] = t
}

// happening is an event without its time.
func (g *logGen) happening(src *metaSource) *happening {
	h := &happening{values: map[string]any{}}
	for i := range src.fields {
		f := &src.fields[i]
		if !strings.HasPrefix(f.path, "items.") && f.path != "codes" {
			h.values[f.path] = g.value(src, f)
		}
	}
	g.next++
	h.values["id"] = "e" + strconv.Itoa(g.next)
	if f := src.field("k"); f.typ == "long" {
		h.values["k"] = pickOf(g.rng, int64(1), 2, 3, -7)
	} else {
		h.values["k"] = pickOf(g.rng, "a", "b", "c", "dd")
	}
	h.values["k2"] = pickOf(g.rng, "x", "y")
	for range pickOf(g.rng, 0, 1, 1, 2, 3) {
		item := map[string]any{}
		for i := range src.fields {
			if f := &src.fields[i]; strings.HasPrefix(f.path, "items.") {
				item[strings.TrimPrefix(f.path, "items.")] = g.value(src, f)
			}
		}
		h.items, h.codes = append(h.items, item), append(h.codes, g.Int64N(4))
	}
	return h
}

// value is mostly small and seldom extreme.
func (g *logGen) value(src *metaSource, f *metaField) any {
	if f.nullable && g.one(3) {
		return nil
	}
	extreme := g.one(12)
	switch f.typ {
	case "long":
		if extreme {
			return pickOf(g.rng, int64(math.MaxInt64), math.MinInt64, math.MaxInt64-1, 1<<53+1, -1<<53-1)
		}
		return int64(g.IntN(12) - 4)
	case "int":
		if extreme {
			return pickOf(g.rng, int64(math.MaxInt32), math.MinInt32)
		}
		return int64(g.IntN(12) - 4)
	case "double", "float":
		return g.float(f, extreme, src.format == "json")
	case "string":
		return pickOf(g.rng, "", "a", "b", "ab", "zz", "ä", "日本", "a")
	case "enum":
		return pickOf(g.rng, "RED", "GREEN", "BLUE")
	case "boolean":
		return g.one(2)
	case "decimal":
		if extreme {
			return twosComplement(pickOf(g.rng, big.NewInt(999_999_999), big.NewInt(-999_999_999)))
		}
		return twosComplement(big.NewInt(int64(g.IntN(2000) - 1000)))
	case "bytes":
		return pickOf(g.rng, []byte{}, []byte{0}, []byte{0xff, 1}, []byte("b"))
	}
	return g.now - g.Int64N(1000) // a time that isn't the event's
}

func (g *logGen) float(f *metaField, extreme, json bool) float64 {
	v := pickOf(g.rng, 0, 1, 0.5, 2.5, -1.25, 100, 0.1, 0.2, 0.3, float64(g.IntN(1000))/7)
	if extreme {
		v = pickOf(g.rng, math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), 1e308, -1e308, 1.7976931348623157e308, 5e-324, 1e-310, 1e16, 1e16+2, -1e16)
	}
	if json && (math.IsNaN(v) || math.IsInf(v, 0)) {
		v = 1e308
	}
	if f.typ == "float" {
		v = float64(float32(v))
		if json && math.IsInf(v, 0) {
			v = 1.5
		}
	}
	return v
}

package window

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// Law L1: the record of a union is the merge of the records of its parts, to the byte, for every operation, however
// the events are split, in whatever order they come and however often a part is written and read back on the way.
func TestMergedRecordsAreTheRecordOfTheUnion(t *testing.T) {
	t.Logf("seed %d", seed)
	o := Output{Name: "o", Size: 1, Aggs: allAggs()}
	l, err := layoutOf(&o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		events := newWorkload(r, 1, 1+r.IntN(80)).logs[0]
		m := newMemory(0)
		whole := newPart(&l, &m)
		for _, at := range r.Perm(len(events)) {
			whole.fold(t, &events[at])
		}
		parts := make([]*part, 1+r.IntN(5))
		for at := range parts {
			parts[at] = newPart(&l, &m)
		}
		for _, at := range r.Perm(len(events)) {
			parts[r.IntN(len(parts))].fold(t, &events[at])
		}
		for len(parts) > 1 {
			at := r.IntN(len(parts) - 1)
			before := parts[at+1].bytes()
			parts[at].merge(t, parts[at+1])
			if after := parts[at+1].bytes(); !bytes.Equal(before, after) {
				t.Fatalf("merging changed its source from % x to % x", before, after)
			}
			if parts[at].rec[recEvents] > 0 && r.IntN(2) == 0 {
				parts[at].restart(t, &m)
			}
			parts[at+1].b.release(&m)
			parts = append(parts[:at+1], parts[at+2:]...)
		}
		if got, want := parts[0].bytes(), whole.bytes(); !bytes.Equal(got, want) {
			t.Fatalf("set %d of %d events: merged\n% x, folded\n% x", i, len(events), got, want)
		}
		parts[0].b.release(&m)
		whole.b.release(&m)
		if m.held() != 0 {
			t.Fatalf("%d bytes are accounted for when all has gone", m.held())
		}
	}
}

// part is one record with what its words refer to.
type part struct {
	l   *layout
	rec []uint64
	b   beside
}

func newPart(l *layout, m *memory) *part {
	p := &part{l: l, rec: make([]uint64, l.stride), b: newBeside(m)}
	p.b.mem = m
	return p
}

func (p *part) bytes() []byte { return p.l.appendRecord(nil, p.rec, &p.b) }

func (p *part) fold(t *testing.T, o *occurrence) {
	t.Helper()
	in := o.fill(&Input{}, 1)
	p.rec[recEvents]++
	p.rec[recDuplicates] += uint64(o.n & 1)
	if err := p.l.fold(p.rec, in.Args[0], in, &p.b); err != nil {
		t.Fatal(err)
	}
}

func (p *part) merge(t *testing.T, o *part) {
	t.Helper()
	if err := p.l.mergeRecords(p.rec, o.rec, &p.b, &o.b); err != nil {
		t.Fatal(err)
	}
}

// restart writes the part down and reads it back.
func (p *part) restart(t *testing.T, m *memory) {
	t.Helper()
	again := newPart(p.l, m)
	if err := p.l.decodeRecord(p.bytes(), again.rec, &again.b); err != nil {
		t.Fatal(err)
	}
	p.b.release(m)
	*p = *again
}

// Aggregates share an accumulator when argument and Cell are equal, and only then; the layout's hash tells them apart.
func TestCustomCells(t *testing.T) {
	agg := func(arg int, name string) Agg {
		return Agg{Name: name, Func: Custom, Arg: arg, In: long, Custom: bag{name}}
	}
	of := func(aggs ...Agg) *output {
		o := &output{Output: Output{Name: "o", Size: 1, Aggs: aggs}}
		if err := o.setUp(); err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := of(agg(0, "a"), agg(0, "a"), agg(0, "b"), agg(1, "a"))
	if n := len(o.layout.cells); n != 3 {
		t.Errorf("%d cells, want 3", n)
	}
	if layoutHash([]output{*of(agg(0, "a"))}) == layoutHash([]output{*of(agg(0, "b"))}) {
		t.Error("two cells have one layout")
	}
	bad := Output{Name: "o", Size: 1, Aggs: []Agg{{Name: "x", Func: Custom, Arg: 0, In: long}}}
	if _, err := layoutOf(&bad); err == nil {
		t.Error("Custom without an Aggregate is taken")
	}
	if _, err := layoutOf(&Output{Name: "o", Size: 1, Aggs: []Agg{{Name: "x", Func: Custom, Arg: -1, Custom: bag{}}}}); err == nil {
		t.Error("Custom without an argument is taken")
	}
}

// A long accumulator's length takes several bytes, and none is written for a group whose values were all null.
func TestRecordsOfAccumulators(t *testing.T) {
	o := Output{Name: "o", Size: 1, Aggs: []Agg{{Name: "bag", Func: Custom, Arg: 0, In: nullLong, Custom: bag{}}}}
	l, err := layoutOf(&o)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(0)
	for _, n := range []int{0, 1, 3, 4, 5, 600} {
		p := newPart(&l, &m)
		p.rec[recEvents] = uint64(n + 1)
		for i := range n + 1 {
			v := schema.NullValue()
			if i > 0 {
				v = schema.IntValue(int64(i))
			}
			if err := l.fold(p.rec, []schema.Value{v}, &Input{Time: int64(i)}, &p.b); err != nil {
				t.Fatal(err)
			}
		}
		before := p.bytes()
		if n == 0 && before[len(before)-1] != 0 {
			t.Errorf("no values are written as % x", before)
		}
		p.restart(t, &m)
		if after := p.bytes(); !bytes.Equal(before, after) {
			t.Errorf("%d values: % x is read and written as % x", n, before, after)
		}
		values := make([]schema.Value, 1)
		if err := l.read(p.rec, &p.b, values); err != nil || len(values[0].Bytes) != n*bagItem {
			t.Errorf("%d values: %v, %v", n, values, err)
		}
		for cut := range before {
			if err := l.decodeRecord(before[:cut], make([]uint64, l.stride), &beside{}); err == nil {
				t.Fatalf("%d of %d bytes are read as a record", cut, len(before))
			}
		}
	}
}

// The bytes of FORMAT.md, which older states have.
func TestGoldenAccumulatorCell(t *testing.T) {
	o := Output{Name: "o", Size: 1, Aggs: []Agg{{Name: "bag", Func: Custom, Arg: 0, In: long, Custom: bag{}}}}
	l, err := layoutOf(&o)
	if err != nil {
		t.Fatal(err)
	}
	rec, b := make([]uint64, l.stride), &beside{}
	rec[recEvents] = 1
	if err := l.fold(rec, []schema.Value{schema.IntValue(7)}, &Input{Time: 1, ID: [16]byte{0xab}}, b); err != nil {
		t.Fatal(err)
	}
	const want = "010100" + "21" + "8000000000000001" + "ab000000000000000000000000000000" + "0000000000000007"
	if got := hex.EncodeToString(l.appendRecord(nil, rec, b)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// faulty fails wherever an accumulator may.
type faulty struct{ bag }

type faultyOf struct{ bagOf }

func (faulty) New() Accumulator                                { return &faultyOf{} }
func (*faultyOf) Add(schema.Value, Order) error                { return errFaulty }
func (*faultyOf) Merge(Accumulator) error                      { return errFaulty }
func (*faultyOf) Decode([]byte) error                          { return errFaulty }
func (faulty) Value(Accumulator, []byte) (schema.Value, error) { return schema.Value{}, errFaulty }

var errFaulty = errors.New("out of order")

// What an aggregate of one's own fails with reaches the caller, with the aggregate's name.
func TestAccumulatorErrors(t *testing.T) {
	agg := Agg{Name: "f", Func: Custom, Arg: 0, In: nullLong, Custom: faulty{bag{"faulty"}}}
	e := engine(t, []Output{{Name: "o", Size: 10, Aggs: []Agg{agg}}}, nil, 0)
	if _, err := e.Add(event(0, "k", "", schema.NullValue()), NoWatermark); err != nil {
		t.Fatal(err) // nulls never reach it
	}
	named := func(err error) bool {
		return errors.Is(err, errFaulty) && strings.Contains(err.Error(), "bag/1 faulty")
	}
	if err := e.Close(10, func(*Result) error { return nil }); !named(err) {
		t.Errorf("Close: %v", err)
	}
	e = engine(t, []Output{{Name: "o", Size: 10, Aggs: []Agg{agg}}}, nil, 0)
	if _, err := e.Add(event(0, "k", "", schema.IntValue(1)), NoWatermark); !named(err) {
		t.Errorf("Add: %v", err)
	}
	l := &e.outs[0].layout
	src, dst := &beside{accs: []Accumulator{&faultyOf{}}}, &beside{}
	rec := make([]uint64, l.stride)
	rec[recEvents], rec[l.cells[0].at] = 1, 1
	if err := l.mergeRecords(make([]uint64, l.stride), rec, dst, src); !named(err) {
		t.Errorf("merge: %v", err)
	}
	if err := l.decodeRecord(l.appendRecord(nil, rec, src), make([]uint64, l.stride), &beside{}); !named(err) {
		t.Errorf("decode: %v", err)
	}
}

package trial

import (
	"bytes"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// Truth is what a batch over the first n records of Sent gives, by Kafka key, for each output.
func (s *Shape) Truth(n int) []map[string][32]byte {
	s.TB.Helper()
	d, err := streamtest.NewDriver(s.Plan, ShapeWidth)
	s.must(err)
	for _, m := range s.Sent[:n] {
		d.Append(m.Source, m.Partition, m.Value)
	}
	all := make([]map[string][32]byte, len(s.Plan.Outputs))
	for i, codec := range s.Plan.Codecs {
		rows, err := d.Batch(i)
		s.must(err)
		all[i] = map[string][32]byte{}
		for _, r := range rows {
			row := curated.Row{Key: r.Key, Start: r.Start, End: r.End, Values: r.Values, Status: curated.Closed}
			all[i][string(codec.AppendKey(nil, &row))] = codec.RowHash(&row)
		}
	}
	return all
}

// Folded folds an output's topic as a careful consumer does: what the last record of each key says, without what was retracted. It
// is an error of the test if revisions fall, or one has two values.
func (s *Site) Folded(output int) (map[string][32]byte, map[curated.Status]int) {
	s.TB.Helper()
	f := newFold(s.Plan.Outputs[output].Name, s.Plan.Codecs[output])
	s.Each(f.name, f.take)
	for _, fault := range f.faults {
		s.TB.Error(fault)
	}
	return f.inForce, f.seen
}

// Equal holds what is published of an output against the truth.
func (s *Site) Equal(name string, want, got map[string][32]byte) {
	s.TB.Helper()
	for key, hash := range want {
		if have, ok := got[key]; !ok {
			s.TB.Errorf("%s: a window is missing: %x", name, key)
		} else if !bytes.Equal(have[:], hash[:]) {
			s.TB.Errorf("%s: a window has another value: %x", name, key)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			s.TB.Errorf("%s: a window too many: %x", name, key)
		}
	}
}

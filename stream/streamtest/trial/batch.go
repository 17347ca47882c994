package trial

import (
	"bytes"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
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

// Folded folds an output's topic as a careful consumer does: the highest revision of each key, without what was
// retracted. Revisions never fall, and an equal one has equal values and is that of an open window.
func (s *Site) Folded(output int) (map[string][32]byte, map[curated.Status]int) {
	s.TB.Helper()
	name, codec := s.Plan.Outputs[output].Name, s.Plan.Codecs[output]
	inForce, revisions, seen := map[string][32]byte{}, map[string]int64{}, map[curated.Status]int{}
	s.Each(name, func(r *kafka.Record) {
		var row curated.Row
		if err := codec.Decode(r.Key, r.Value, &row); err != nil {
			s.TB.Errorf("%s/%d@%d: %v", name, r.Partition, r.Offset, err)
			return
		}
		key, hash := string(r.Key), codec.RowHash(&row)
		if was := revisions[key]; row.Revision < was || row.Revision == was && row.Status != curated.Open {
			s.TB.Errorf("%s/%d@%d: revision %d of %s (%s) follows revision %d", name, r.Partition, r.Offset, row.Revision, codec.FormatKey(row.Key), row.Status, was)
		} else if row.Revision == was && inForce[key] != hash {
			s.TB.Errorf("%s/%d@%d: revision %d of %s has two values", name, r.Partition, r.Offset, row.Revision, codec.FormatKey(row.Key))
		}
		revisions[key] = row.Revision
		seen[row.Status]++
		if inForce[key] = hash; row.Status == curated.Retracted {
			delete(inForce, key)
		}
	})
	return inForce, seen
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

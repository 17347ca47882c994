package trial

import (
	"fmt"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// fold takes an output's records in the order of the topic. Whether a consumer goes by revisions or upserts what comes, it must hold the
// same: revisions never fall, and an equal one has equal values and is that of an open window.
type fold struct {
	name      string
	codec     *curated.Codec
	inForce   map[string][32]byte
	revisions map[string]int64
	seen      map[curated.Status]int
	faults    []string
}

func newFold(name string, codec *curated.Codec) *fold {
	return &fold{name: name, codec: codec, inForce: map[string][32]byte{}, revisions: map[string]int64{}, seen: map[curated.Status]int{}}
}

func (f *fold) take(r *kafka.Record) {
	at := fmt.Sprintf("%s/%d@%d", f.name, r.Partition, r.Offset)
	var row curated.Row
	if err := f.codec.Decode(r.Key, r.Value, &row); err != nil {
		f.faults = append(f.faults, fmt.Sprintf("%s: %v", at, err))
		return
	}
	key, hash := string(r.Key), f.codec.RowHash(&row)
	if was := f.revisions[key]; row.Revision < was || row.Revision == was && row.Status != curated.Open {
		f.faults = append(f.faults, fmt.Sprintf("%s: revision %d of %s (%s) follows revision %d", at, row.Revision, f.codec.FormatKey(row.Key), row.Status, was))
	} else if row.Revision == was && f.inForce[key] != hash {
		f.faults = append(f.faults, fmt.Sprintf("%s: revision %d of %s has two values", at, row.Revision, f.codec.FormatKey(row.Key)))
	}
	f.revisions[key] = row.Revision
	f.seen[row.Status]++
	if f.inForce[key] = hash; row.Status == curated.Retracted {
		delete(f.inForce, key)
	}
}

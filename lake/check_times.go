package lake

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// timeReader decodes the event times of one writer schema's records: the only
// place in the lake where payloads are looked into, and only to verify.
type timeReader struct {
	decoder schema.Reader
	event   schema.Event

	// Of the current file.
	count    int64
	min, max int64
	bad      []badRecord
	badCount int64
}

type badRecord struct {
	offset int64
	err    error
}

// badRecordsMax bounds the faults told of one file; the rest are counted.
const badRecordsMax = 10

func newTimeReader(s SchemaDecl, eventTime string) (*timeReader, error) {
	decoder, err := schema.StoredReader([]byte(s.JSON), s.ID, eventTime)
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", s.ID, err)
	}
	return &timeReader{decoder: decoder}, nil
}

func (r *timeReader) begin() { r.count, r.bad, r.badCount = 0, nil, 0 }

func (r *timeReader) read(s *Stored) {
	if err := r.decoder.DecodePayload(s.SchemaID, s.Payload, &r.event); err != nil {
		r.badCount++
		if len(r.bad) < badRecordsMax {
			r.bad = append(r.bad, badRecord{s.Offset, err})
		}
		return
	}
	t := r.event.Time
	if r.count == 0 {
		r.min, r.max = t, t
	}
	r.count++
	r.min, r.max = min(r.min, t), max(r.max, t)
}

// judge compares what was read with what the log says. The log's bounds lie
// within the file's hour, so equal bounds put every record into its hour.
func (r *timeReader) judge(f *File, fault func(Fault)) {
	for _, b := range r.bad {
		fault(Fault{Kind: FaultRecord, Path: f.Path, Partition: f.Partition, Offset: b.offset,
			Msg: fmt.Sprintf("the record of offset %d does not decode: %v", b.offset, b.err)})
	}
	if more := r.badCount - int64(len(r.bad)); more > 0 {
		fault(Fault{Kind: FaultRecord, Path: f.Path, Partition: f.Partition, Offset: f.First,
			Msg: fmt.Sprintf("%d more records do not decode", more)})
	}
	if r.badCount == 0 && (r.min != f.MinTime || r.max != f.MaxTime) {
		fault(Fault{Kind: FaultTimes, Path: f.Path, Partition: f.Partition, Offset: f.First,
			Msg: fmt.Sprintf("its event times are %d to %d ms, the log says %d to %d", r.min, r.max, f.MinTime, f.MaxTime)})
	}
}

package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/internal/avrobytes"
)

// Version is the format's version. It stands in the namespace of Schema.
const Version = 1

const schemaJSON = `{"type":"record","name":"JournalEntry","namespace":"tidemark.v1","fields":[` +
	`{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["LATE","MISSED","INVALID","BORN","IDLE","END","CHANGE"]}},` +
	`{"name":"seq","type":"long"},` +
	`{"name":"time","type":{"type":"long","logicalType":"timestamp-millis"}},` +
	`{"name":"task","type":"int"},` +
	`{"name":"topic","type":"string"},` +
	`{"name":"partition","type":"int"},` +
	`{"name":"offset","type":"long"},` +
	`{"name":"output","type":["null","string"],"default":null},` +
	`{"name":"reason","type":"string"},` +
	`{"name":"fingerprint","type":"string"},` +
	`{"name":"watermark","type":["null","long"],"default":null},` +
	`{"name":"topic_id","type":"string"},` +
	`{"name":"partitions","type":"int"}]}`

// Schema is the Avro schema of an entry as JSON. A journal record's value is plain Avro under it, without a header.
func Schema() string { return schemaJSON }

// EventTime is the field by which the lake files journal entries under their hours. Journal entries have no event id.
const EventTime = "time"

// Append appends the entry's Avro bytes to dst and returns the longer slice. It allocates only to grow dst. The kind
// must be one of the constants and the strings valid UTF-8; Decode refuses anything else.
func Append(dst []byte, e *Entry) []byte {
	dst = binary.AppendVarint(dst, int64(e.Kind))
	dst = binary.AppendVarint(dst, e.Seq)
	dst = binary.AppendVarint(dst, e.Time)
	dst = binary.AppendVarint(dst, int64(e.Task))
	dst = appendString(dst, e.Topic)
	dst = binary.AppendVarint(dst, int64(e.Partition))
	dst = binary.AppendVarint(dst, e.Offset)
	if e.Output == "" {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 2) // union branch 1, zig-zag
		dst = appendString(dst, e.Output)
	}
	dst = appendString(dst, e.Reason)
	dst = appendString(dst, e.Fingerprint)
	if !e.HasWatermark {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 2)
		dst = binary.AppendVarint(dst, e.Watermark)
	}
	dst = appendString(dst, e.TopicID)
	return binary.AppendVarint(dst, int64(e.Partitions))
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendVarint(dst, int64(len(s)))
	return append(dst, s...)
}

// Decode reads one entry from the whole of value. The entry holds no reference to value.
// The error says which field was wrong; nothing is known of the entry then.
func Decode(value []byte) (Entry, error) {
	var e Entry
	d := avrobytes.New(value)
	kind := d.Long("kind")
	if d.Err() == nil && (kind < 0 || kind >= int64(kinds)) {
		d.Fail("kind", fmt.Errorf("number %d is unknown: the entry is of a later version, or no journal entry", kind))
	}
	e.Kind = Kind(kind)
	e.Seq = d.Long("seq")
	e.Time = d.Long("time")
	e.Task = d.Int("task")
	e.Topic = string(d.Text("topic"))
	e.Partition = d.Int("partition")
	e.Offset = d.Long("offset")
	if d.Branch("output") {
		e.Output = string(d.Text("output"))
		if e.Output == "" {
			d.Fail("output", errors.New("is empty, which is written as null"))
		}
	}
	e.Reason = string(d.Text("reason"))
	e.Fingerprint = string(d.Text("fingerprint"))
	if e.HasWatermark = d.Branch("watermark"); e.HasWatermark {
		e.Watermark = d.Long("watermark")
	}
	e.TopicID = string(d.Text("topic_id"))
	e.Partitions = d.Int("partitions")
	if err := d.End(); err != nil {
		return Entry{}, fmt.Errorf("decode journal entry of %d bytes: %w", len(value), err)
	}
	return e, nil
}

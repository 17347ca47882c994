package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
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
	d := decoder{rest: value}
	kind := d.long("kind")
	if d.err == nil && (kind < 0 || kind >= int64(kinds)) {
		d.fail("kind", fmt.Errorf("number %d is unknown: the entry is of a later version, or no journal entry", kind))
	}
	e.Kind = Kind(kind)
	e.Seq = d.long("seq")
	e.Time = d.long("time")
	e.Task = d.int32("task")
	e.Topic = d.text("topic")
	e.Partition = d.int32("partition")
	e.Offset = d.long("offset")
	if d.branch("output") {
		e.Output = d.text("output")
		if e.Output == "" {
			d.fail("output", errors.New("is empty, which is written as null"))
		}
	}
	e.Reason = d.text("reason")
	e.Fingerprint = d.text("fingerprint")
	if e.HasWatermark = d.branch("watermark"); e.HasWatermark {
		e.Watermark = d.long("watermark")
	}
	e.TopicID = d.text("topic_id")
	e.Partitions = d.int32("partitions")
	if d.err == nil && len(d.rest) > 0 {
		d.err = fmt.Errorf("%d bytes follow the last field", len(d.rest))
	}
	if d.err != nil {
		return Entry{}, fmt.Errorf("decode journal entry of %d bytes: %w", len(value), d.err)
	}
	return e, nil
}

// decoder walks an entry's bytes. After the first error every method returns zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(field string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("field %s: %w", field, err)
	}
}

func (d *decoder) long(field string) int64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail(field, errors.New("the bytes end within, or overflow, a number"))
		return 0
	}
	if n > 1 && d.rest[n-1] == 0 { // the same number has a shorter form, and only one is canonical
		d.fail(field, errors.New("the number is not in its shortest form"))
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) int32(field string) int32 {
	v := d.long(field)
	if v != int64(int32(v)) {
		d.fail(field, fmt.Errorf("%d does not fit 32 bits", v))
		return 0
	}
	return int32(v)
}

func (d *decoder) branch(field string) bool {
	v := d.long(field)
	if v != 0 && v != 1 {
		d.fail(field, fmt.Errorf("union branch %d does not exist", v))
	}
	return v == 1
}

func (d *decoder) text(field string) string {
	n := d.long(field)
	if d.err != nil {
		return ""
	}
	if n < 0 || n > int64(len(d.rest)) {
		d.fail(field, fmt.Errorf("length %d, but %d bytes are left", n, len(d.rest)))
		return ""
	}
	b := d.rest[:n]
	if !utf8.Valid(b) {
		d.fail(field, errors.New("the string is not valid UTF-8"))
		return ""
	}
	d.rest = d.rest[n:]
	return string(b)
}

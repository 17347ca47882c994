package lake

// Header is one header of a source record. A nil Value is a null.
type Header struct {
	Key   string // as it came; not necessarily UTF-8
	Value []byte
}

// Record is one record of a source topic, as the log gave it. The lake keeps
// every part of it.
type Record struct {
	Partition int32
	Offset    int64
	Timestamp int64 // the log's own timestamp, ms since the epoch UTC; -1 when it has none
	Key       []byte
	Headers   []Header
	Value     []byte // the original bytes, wire header included; nil is a null
}

// Landing says where a record belongs.
type Landing struct {
	// Time is the event time in ms since the epoch UTC, within the years 1 to
	// 9999; it picks the lake partition. Not read when Invalid is set.
	Time int64
	// SchemaID is the declared writer schema of Payload.
	SchemaID uint32
	// Payload is the event's own Avro datum, without wire header. Its bytes are
	// appended as they are.
	Payload []byte
	// Invalid is the reason (a short stable slug) why the record cannot be
	// placed; it then goes to quarantine with the bytes of Record.Value.
	Invalid string
}

// Stored is a record read back from the lake. Its slices are valid until the
// callback that got it returns.
type Stored struct {
	Partition int32
	Offset    int64
	Timestamp int64 // ms since the epoch UTC
	Key       []byte
	Headers   []Header
	SchemaID  uint32
	Payload   []byte // the datum; in a quarantine file the original value, nil for a null
	Reason    string // quarantine files only
}

package schema

// The limits on what is accepted. Each one bounds the time or memory that a
// hostile schema or payload can cost; none is near what real data needs.
const (
	// MaxSchemaBytes bounds the text of a schema.
	MaxSchemaBytes = 1 << 20
	// MaxPayloadBytes bounds one datum. Kafka's own limit on a record is lower.
	MaxPayloadBytes = 1 << 30
	// MaxDepth bounds how deep arrays, maps, unions of several types and
	// references to named types nest in one datum.
	MaxDepth = 128
	// MaxItems bounds the items of all arrays and maps of one datum together.
	MaxItems = 1 << 24
	// MaxEmptyItems bounds the items that take no bytes (array of null): a
	// count of 2^60 of them would fit into ten bytes.
	MaxEmptyItems = 1 << 12
	// MaxElements bounds the elements that one event unnests into.
	MaxElements = 10_000
	// MaxJSONDepth bounds how deep objects and arrays of a JSON event nest.
	MaxJSONDepth = 64
)

// The range of event times in ms: the years 1 to 9999, as RFC 3339 writes them.
const (
	MinTime int64 = -62135596800000 // 0001-01-01T00:00:00Z
	MaxTime int64 = 253402300799999 // 9999-12-31T23:59:59.999Z
)

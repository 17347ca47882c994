package schema

import (
	"errors"
	"fmt"
	"strings"
)

// The reasons that a record can be invalid for: short stable words, for
// counters, the journal and quarantine files.
const (
	ReasonNullValue      = "null_value"        // the Kafka record has no value
	ReasonBadHeader      = "bad_header"        // Confluent header missing or its magic byte is not 0
	ReasonTruncated      = "truncated"         // the bytes end inside a value
	ReasonTrailingBytes  = "trailing_bytes"    // bytes are left after the datum
	ReasonTooLarge       = "too_large"         // more than MaxPayloadBytes
	ReasonBadVarint      = "bad_varint"        // more than 10 bytes, or more than 64 bits
	ReasonIntRange       = "int_out_of_range"  // an Avro int beyond 32 bits
	ReasonBadLength      = "bad_length"        // a negative length
	ReasonBadBool        = "bad_bool"          // a boolean that is neither 0 nor 1
	ReasonBadEnum        = "bad_enum"          // an enum index without a symbol
	ReasonBadUnion       = "bad_union"         // a union index without a branch
	ReasonBadUTF8        = "bad_utf8"          // a string that is no UTF-8
	ReasonBadBlock       = "bad_block"         // an array or map block whose count or size is impossible
	ReasonTooManyItems   = "too_many_items"    // more than MaxItems
	ReasonTooDeep        = "too_deep"          // nested deeper than MaxDepth
	ReasonTimeNull       = "time_null"         // the event time is null
	ReasonTimeOutOfRange = "time_out_of_range" // the event time is outside the years 1 to 9999
	ReasonExpression     = "expression"        // an expression of the pipeline failed on this event

	ReasonTooManyElements = "too_many_elements" // more than MaxElements in the array that is unnested
	ReasonBadJSON         = "bad_json"          // no JSON text
	ReasonDuplicateKey    = "duplicate_key"     // a JSON object with one key twice
	ReasonBadType         = "bad_type"          // a JSON value of another type than the field's
	ReasonBadNumber       = "bad_number"        // a number that the field's type cannot hold exactly (integers, decimals) or at all
	ReasonBadTime         = "bad_time"          // a text or number that is no date or time
	ReasonMissingField    = "missing_field"     // a field that may not be missing is
	ReasonBadWire         = "bad_wire"          // bytes that are no Protobuf message
)

// RecordError says that one event is bad. The caller lands it in quarantine
// with its original bytes, counts it as invalid, and goes on.
type RecordError struct {
	Reason string // one of the Reason constants
	Err    error  // what, where (field, byte)
	// Placed says that the event's place in the lake is known all the same: its Time, SchemaID and Payload are valid. It
	// is bad for this reader only; another one, with other fields or a newer schema, may take it.
	Placed bool
}

// Landable reports whether what a Reader returned leaves the event with a place in the lake: err is nil or a
// *RecordError that is Placed.
func Landable(err error) bool {
	var bad *RecordError
	return err == nil || errors.As(err, &bad) && bad.Placed
}

// Error gives the reason and what was wrong.
func (e *RecordError) Error() string {
	if e.Err == nil {
		return "invalid record: " + e.Reason
	}
	return "invalid record (" + e.Reason + "): " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// UnknownSchemaError says that a record's Confluent header names a schema id
// that the pipeline does not declare. The record may be perfectly good, so it is
// not a RecordError: the partition pauses.
type UnknownSchemaError struct {
	ID    uint32
	Known []uint32
}

// Error names the id, the known ones, and what to do.
func (e *UnknownSchemaError) Error() string {
	known := strings.Trim(fmt.Sprint(e.Known), "[]")
	if known == "" {
		known = "none"
	}
	return fmt.Sprintf("record written with unknown schema id %d (declared: %s): if it is the same schema, add the id to source.schema.ids", e.ID, known)
}

// UnknownFieldError says that a schema has no field of that path.
type UnknownFieldError struct {
	Path       string
	Record     string   // the record that was looked in
	Suggestion string   // a similar path that exists, or empty
	Fields     []string // that the record has
}

// Error names the path and, where one is close, the field that was meant.
func (e *UnknownFieldError) Error() string {
	msg := fmt.Sprintf("record %s has no field %q", e.Record, e.Path)
	if e.Suggestion != "" {
		return msg + fmt.Sprintf(", did you mean %q?", e.Suggestion)
	}
	const shown = 12
	if more := len(e.Fields) - shown; more > 0 {
		return msg + fmt.Sprintf(" (it has %s and %d more)", strings.Join(e.Fields[:shown], ", "), more)
	}
	return msg + " (it has " + strings.Join(e.Fields, ", ") + ")"
}

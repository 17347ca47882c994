package curated

import (
	"encoding/json"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// Names of the window's own fields, which stand between group and aggregates.
const (
	fieldStart = "window_start"
	fieldEnd   = "window_end"
)

// Names of the types within the value's record.
const (
	nameStatus = "Status"
	nameCause  = "Cause"
	nameInput  = "Input"
)

// EventTime is the field by which the lake files curated records under their hours. They have no event id.
const EventTime = fieldStart

// avroField and avroRecord are the parts of an Avro schema as JSON, in the order in which they are printed.
type avroField struct {
	Name    string          `json:"name"`
	Type    any             `json:"type"`
	Default json.RawMessage `json:"default,omitempty"`
}

type avroRecord struct {
	Type      string      `json:"type"`
	Name      string      `json:"name"`
	Namespace string      `json:"namespace,omitempty"`
	Format    int         `json:"tidemark_format,omitempty"`
	Fields    []avroField `json:"fields"`
}

type avroLogical struct {
	Type    string `json:"type"`
	Logical string `json:"logicalType"`
}

type avroDecimal struct {
	avroLogical
	Precision int `json:"precision"`
	Scale     int `json:"scale,omitempty"`
}

type avroEnum struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Symbols []string `json:"symbols"`
	Default string   `json:"default"`
}

var (
	nullDefault = json.RawMessage("null")
	zeroDefault = json.RawMessage("0")
	timeMillis  = avroLogical{Type: "long", Logical: "timestamp-millis"}
)

// avroType is the type of a group field or aggregate in the curated record. An enum becomes a string and a fixed
// becomes bytes, so that the record doesn't depend on the source's definitions.
func avroType(t schema.Type) (any, error) {
	var typ any
	switch t.Kind {
	case schema.KindBool:
		typ = "boolean"
	case schema.KindInt:
		typ = "long"
		switch t.Logical {
		case "timestamp-millis", "timestamp-micros", "local-timestamp-millis", "local-timestamp-micros", "time-micros":
			typ = avroLogical{Type: "long", Logical: t.Logical}
		case "date", "time-millis": // Avro allows them on int only; int and long have the same bytes
			typ = avroLogical{Type: "int", Logical: t.Logical}
		}
	case schema.KindFloat:
		typ = "double"
	case schema.KindString:
		typ = "string"
	case schema.KindBytes:
		switch typ = "bytes"; {
		case t.Raw != "":
			typ = json.RawMessage(t.Raw)
		case t.Decimal():
			typ = avroDecimal{avroLogical{Type: "bytes", Logical: "decimal"}, t.Precision, t.Scale}
		}
	default:
		return nil, fmt.Errorf("type %s has no place in a curated record", t)
	}
	if t.Nullable {
		typ = []any{"null", typ}
	}
	return typ, nil
}

// buildSchemas writes both schemas; the order of the fields is the format (FORMAT.md).
func (c *Codec) buildSchemas(output string) error {
	var key []avroField
	for _, g := range c.group {
		typ, err := avroType(g.Type)
		if err != nil {
			return err
		}
		key = append(key, avroField{Name: g.Name, Type: typ})
	}
	key = append(key, avroField{Name: fieldStart, Type: timeMillis}, avroField{Name: fieldEnd, Type: timeMillis})

	value := append([]avroField{}, key...)
	for _, a := range c.aggs {
		typ, err := avroType(a.typ)
		if err != nil {
			return err
		}
		f := avroField{Name: a.name, Type: typ, Default: nullDefault}
		if !a.typ.Nullable {
			f.Default = zeroDefault
		}
		value = append(value, f)
	}
	value = append(value, tidemarkFields()...)

	namespace := "tidemark." + AvroName(c.pipeline)
	keyJSON, err := json.Marshal(avroRecord{
		Type: "record", Name: "key", Namespace: namespace + "." + AvroName(output), Format: Version, Fields: key,
	})
	if err != nil {
		return fmt.Errorf("write the key's schema: %w", err)
	}
	valueJSON, err := json.Marshal(avroRecord{
		Type: "record", Name: recordName(output), Namespace: namespace, Format: Version, Fields: value,
	})
	if err != nil {
		return fmt.Errorf("write the value's schema: %w", err)
	}
	c.keySchema, c.valueSchema = string(keyJSON), string(valueJSON)
	return nil
}

// tidemarkFields are the fields that every curated record ends with.
func tidemarkFields() []avroField {
	return []avroField{
		{Name: "_revision", Type: "long"},
		{Name: "_status", Type: avroEnum{Type: "enum", Name: nameStatus, Symbols: statusNames[:], Default: statusNames[StatusUnknown]}},
		{Name: "_cause", Type: avroEnum{Type: "enum", Name: nameCause, Symbols: causeNames[:], Default: causeNames[CauseOther]}},
		{Name: "_input", Type: avroRecord{Type: "record", Name: nameInput, Fields: []avroField{
			{Name: "events", Type: "long"}, {Name: "late", Type: "long"}, {Name: "duplicates", Type: "long"},
		}}},
		{Name: "_pipeline", Type: "string"},
		{Name: "_published_at", Type: timeMillis},
		{Name: "_run", Type: []any{"null", "string"}, Default: nullDefault},
	}
}

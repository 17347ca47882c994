package lake

import (
	"encoding/json"
	"fmt"
)

// envelopeVersion is the version of both file formats; it is in every file's
// header as tidemark.format.
const envelopeVersion = "1"

// The envelope has no namespace: a nested event without one would inherit it,
// and be another type than the one its producer registered.
//
// timestamp is a plain long: the log's timestamp is whatever the producer set,
// and readers refuse a timestamp-millis beyond the year 9999. A header's key is
// bytes, because nothing forces producers to write UTF-8 into it. value_bytes
// is the length of value, so that a reader can step over a payload, or take it
// out, without decoding it; it must come before value.
const envelopeFields = `{"name":"partition","type":"int"},` +
	`{"name":"offset","type":"long"},` +
	`{"name":"timestamp","type":"long"},` +
	`{"name":"key","type":["null","bytes"]},` +
	`{"name":"headers","type":{"type":"array","items":{"type":"record","name":"%s","fields":[` +
	`{"name":"key","type":"bytes"},{"name":"value","type":["null","bytes"]}]}}},`

// rawSchema is the schema of raw files around one writer schema, which stands
// in it as the text that was declared.
func rawSchema(writer string) (string, error) {
	used := map[string]bool{}
	var parsed any
	if err := json.Unmarshal([]byte(writer), &parsed); err != nil {
		return "", fmt.Errorf("writer schema: %w", err)
	}
	collectNames(parsed, used)
	return `{"type":"record","name":"` + freeName("TidemarkRaw", used) + `","fields":[` +
		fmt.Sprintf(envelopeFields, freeName("TidemarkHeader", used)) +
		`{"name":"value_bytes","type":"int"},` +
		`{"name":"value","type":` + writer + `}]}`, nil
}

// quarantineSchema is the schema of quarantine files: value is the original
// value, null included.
func quarantineSchema() string {
	return `{"type":"record","name":"TidemarkQuarantine","fields":[` +
		fmt.Sprintf(envelopeFields, "TidemarkHeader") +
		`{"name":"reason","type":"string"},` +
		`{"name":"value","type":["null","bytes"]}]}`
}

// collectNames gathers every text that stands as a "name" anywhere in a
// schema: more than its types' names, which does no harm.
func collectNames(v any, used map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if name, ok := value.(string); ok && key == "name" {
				used[name] = true
			}
			collectNames(value, used)
		}
	case []any:
		for _, value := range v {
			collectNames(value, used)
		}
	}
}

// freeName makes the envelope's type names differ from all of the event's,
// since Avro has one space of names for the whole schema.
func freeName(name string, used map[string]bool) string {
	for used[name] {
		name += "_"
	}
	return name
}

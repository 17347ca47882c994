package pipeline

import (
	"bytes"
	_ "embed"
)

//go:embed jsonschema.json
var jsonSchema []byte

// JSONSchema is the JSON Schema (draft 2020-12) of the pipeline file, for editors: its keys and what they mean, the
// words and forms of values, and the defaults. It has every key that Load takes and no other, and what it refuses Load
// refuses; Load refuses more, since names, types and expressions are beyond it. The caller may change the bytes.
func JSONSchema() []byte { return bytes.Clone(jsonSchema) }

package window

import (
	"encoding/json"
	"fmt"
)

// RenameTypes is the Avro schema of a composite result (schema.Type.Raw) with field and an underscore in front of the
// name of each record, enum and fixed that it defines, and of each reference to one. A schema that holds several
// results needs it: in Avro a name is defined once.
func RenameTypes(raw, field string) (string, error) {
	var tree any
	if err := json.Unmarshal([]byte(raw), &tree); err != nil {
		return "", fmt.Errorf("the result's schema %s: %w", raw, err)
	}
	defined := map[string]string{}
	tree = renamed(tree, field+"_", defined)
	out, err := json.Marshal(tree)
	if err != nil {
		return "", fmt.Errorf("write the result's schema: %w", err)
	}
	return string(out), nil
}

// renamed is a schema with names that begin with prefix. defined collects what was renamed: Avro defines before it
// refers.
func renamed(schema any, prefix string, defined map[string]string) any {
	switch s := schema.(type) {
	case string:
		if name, ok := defined[s]; ok {
			return name
		}
	case []any:
		for i := range s {
			s[i] = renamed(s[i], prefix, defined)
		}
	case map[string]any:
		if name, ok := s["name"].(string); ok {
			defined[name] = prefix + name
			s["name"] = defined[name]
		}
		fields, ok := s["fields"].([]any)
		for _, f := range fields {
			if field, isField := f.(map[string]any); isField {
				field["type"] = renamed(field["type"], prefix, defined)
			}
		}
		if ok {
			break
		}
		for _, part := range []string{"type", "items", "values"} {
			if inner, has := s[part]; has {
				s[part] = renamed(inner, prefix, defined)
			}
		}
	}
	return schema
}

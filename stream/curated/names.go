package curated

import (
	"fmt"
	"strings"
)

// AvroName is an output's or pipeline's name as part of an Avro namespace: every byte that Avro does not allow in a
// name becomes an underscore ("departures-hourly" is "departures_hourly"), and a leading digit gets one before it. Two
// outputs of a pipeline must differ in it.
func AvroName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= '0' && c <= '9':
			if i == 0 {
				b.WriteByte('_')
			}
			b.WriteByte(c)
		case isLetter(c):
			b.WriteByte(c)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// recordName is the name of an output's value record: "departures-hourly" is "DeparturesHourly". Names of types within
// the record are avoided: "status" is "StatusRecord".
func recordName(output string) string {
	var b strings.Builder
	for _, part := range strings.Split(AvroName(output), "_") {
		if part == "" {
			continue
		}
		b.WriteString(strings.ToUpper(part[:1]))
		b.WriteString(part[1:])
	}
	s := b.String()
	switch s {
	case nameStatus, nameCause, nameInput:
		return s + "Record"
	}
	if s == "" || !isLetter(s[0]) {
		return "_" + s
	}
	return s
}

// checkFieldName refuses what can't be a field of the curated record beside the fields that Tidemark adds.
func checkFieldName(name string) error {
	if name == "" {
		return fmt.Errorf("a field of the curated record has no name")
	}
	if name[0] == '_' {
		return fmt.Errorf("field %q begins with an underscore, which is kept for the fields that Tidemark adds", name)
	}
	if name == fieldStart || name == fieldEnd {
		return fmt.Errorf("field %q is the name of one of the window's own fields", name)
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !isLetter(c) && (i == 0 || c < '0' || c > '9') {
			return fmt.Errorf("field %q is no Avro name (letters, digits and underscores, no digit first)", name)
		}
	}
	return nil
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

package schema

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestText reads testdata/json and testdata/schema. `schema` declares one;
// `fields` and `paths` show it, `lookup` finds paths; `encode` takes JSON lines to
// hex and back to JSON, `decode` hex to JSON. (Invariant 5)
func TestText(t *testing.T) {
	for _, file := range []string{"testdata/json", "testdata/schema"} {
		t.Run(file, func(t *testing.T) {
			var s *Schema
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				var out strings.Builder
				switch d.Cmd {
				case "schema":
					var err error
					if s, err = Parse([]byte(d.Input)); err != nil {
						return err.Error() + "\n"
					}
					fmt.Fprintln(&out, s.Name())
				case "fields":
					show(&out, s.Fields())
				case "paths":
					show(&out, s.Paths())
				case "lookup":
					for path := range strings.SplitSeq(d.Input, "\n") {
						typ, err := s.Lookup(path)
						if err == nil {
							_, err = s.Project([]string{path})
						}
						if err != nil {
							fmt.Fprintln(&out, err)
						} else {
							fmt.Fprintf(&out, "%s %s\n", typ.Kind, typ)
						}
					}
				case "encode":
					for line := range strings.SplitSeq(d.Input, "\n") {
						encode(&out, s, line)
					}
				case "decode":
					for line := range strings.SplitSeq(d.Input, "\n") {
						decode(t, &out, s, line)
					}
				default:
					t.Fatalf("unknown command %q", d.Cmd)
				}
				return out.String()
			})
		})
	}
}

func show(out *strings.Builder, fields []Field) {
	for _, f := range fields {
		fmt.Fprintf(out, "%s: %s", f.Name, f.Type)
		if len(f.Type.Symbols) > 0 {
			fmt.Fprintf(out, " %v", f.Type.Symbols)
		}
		fmt.Fprintln(out)
	}
}

func encode(out *strings.Builder, s *Schema, line string) {
	payload, err := s.AppendJSON([]byte("dst"), []byte(line))
	if err != nil {
		fmt.Fprintln(out, err)
		if string(payload) != "dst" {
			fmt.Fprintf(out, "dst became %q\n", payload)
		}
		return
	}
	text, err := s.ToJSON(payload[3:])
	fmt.Fprintf(out, "%x\n", payload[3:])
	if string(text) != line || err != nil {
		fmt.Fprintf(out, "  reads %s %v\n", text, err)
	}
}

func decode(t *testing.T, out *strings.Builder, s *Schema, line string) {
	t.Helper()
	payload, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.ToJSON(payload)
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	fmt.Fprintln(out, string(text))
}

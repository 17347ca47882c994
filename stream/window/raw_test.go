package window

import (
	"testing"

	"github.com/linkedin/goavro/v2"
)

// Names that a result's schema defines, and references to them, begin with the field; nothing else changes.
func TestRenameTypes(t *testing.T) {
	const row = `{"type":"record","name":"top_k","fields":[{"name":"value","type":"string"},{"name":"count","type":"long"}]}`
	for raw, want := range map[string]string{
		`"long"`:                          `"long"`,
		`{"type":"array","items":"long"}`: `{"items":"long","type":"array"}`,
		`{"type":"array","items":` + row + `}`: `{"items":{"fields":[{"name":"value","type":"string"},` +
			`{"name":"count","type":"long"}],"name":"busiest_top_k","type":"record"},"type":"array"}`,
		`{"type":"record","name":"node","fields":[{"name":"next","type":["null","node"]},{"name":"node","type":{"type":"map","values":"node"}}]}`: `{"fields":` +
			`[{"name":"next","type":["null","busiest_node"]},{"name":"node","type":{"type":"map","values":"busiest_node"}}],"name":"busiest_node","type":"record"}`,
		`{"type":"fixed","name":"f","size":4}`: `{"name":"busiest_f","size":4,"type":"fixed"}`,
	} {
		got, err := RenameTypes(raw, "busiest")
		if err != nil || got != want {
			t.Errorf("%s\nbecomes %s, %v\nwant    %s", raw, got, err, want)
		}
		if _, err := goavro.NewCodec(got); err != nil {
			t.Errorf("%s: %v", got, err)
		}
	}
	if _, err := RenameTypes(`{"type"`, "x"); err == nil {
		t.Error("half a schema is taken")
	}
}

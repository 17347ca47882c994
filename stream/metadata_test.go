package stream

import (
	"strings"
	"testing"
)

// The metadata's bytes are in the brokers of those who run older versions: they must be read for ever.
func TestMetadataBytes(t *testing.T) {
	const golden = `{"v":1,"seq":3,"fp":"0e7e4decbc4e","topic":"q3F","n":4,"born":100}`
	want := metadata{Version: 1, Journal: 3, Fingerprint: "0e7e4decbc4e", TopicID: "q3F", Partitions: 4, Born: 100}
	if got, err := parseMetadata(golden); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := want.encode(); err != nil || got != golden {
		t.Errorf("%s, %v", got, err)
	}
	for _, foreign := range []string{"", "member-1", `{"v":2,"seq":1}`, `{}`} {
		if _, err := parseMetadata(foreign); err == nil || !strings.Contains(err.Error(), "offset metadata") {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

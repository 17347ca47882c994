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
	for _, foreign := range []string{"", "member-1", `{"v":3,"seq":1}`, `{}`} {
		if _, err := parseMetadata(foreign); err == nil || !strings.Contains(err.Error(), "offset metadata") {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

// What a program of version 1 would misread has another version: it would take half a closing for the whole of it.
func TestMetadataOfLivesAndClosings(t *testing.T) {
	for golden, want := range map[string]metadata{
		`{"v":2,"seq":3,"fp":"f","topic":"q3F","n":4,"born":100,"life":3}`:                        {Life: 3},
		`{"v":2,"seq":3,"fp":"f","topic":"q3F","n":4,"born":100,"closing":{"from":-5,"sent":70}}`: {Closing: &closing{From: -5, Sent: 70}},
	} {
		want.Journal, want.Fingerprint, want.TopicID, want.Partitions, want.Born = 3, "f", "q3F", 4, 100
		if got, err := want.encode(); err != nil || got != golden {
			t.Errorf("%s, %v", got, err)
		}
		got, err := parseMetadata(golden)
		if want.Version = 2; err != nil || got.Life != want.Life || (got.Closing == nil) != (want.Closing == nil) || got.Closing != nil && *got.Closing != *want.Closing {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

package schema

import "testing"

// Two ids that differ must not become the same on the way in.
func TestLoneSurrogates(t *testing.T) {
	for text, want := range map[string]int{
		`{"id":"\ud83d\ude00"}`: -1,
		`{"id":"\ud800"}`:       7,
		`{"id":"\udbff"}`:       7,
		`{"id":"a\ude00"}`:      8,
		`{"id":"\ud83d\ud83d"}`: 7,
		`{"id":"\\ud800"}`:      -1,
		`{"id":"\u00e9\n\"x"}`:  -1,
		`{"id":"\ud83d"`:        7,
	} {
		if got := loneSurrogate([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	s, err := Parse([]byte(`{"type":"record","name":"R","fields":[{"name":"id","type":"string"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.AppendJSON(nil, []byte(`{"id":"\ud800"}`)); err == nil {
		t.Errorf("accepted as % x", b)
	}
	if _, err := s.AppendJSON(nil, []byte(`{"id":"\ud83d\ude00"}`)); err != nil {
		t.Error(err)
	}
}

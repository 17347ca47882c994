package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// variant compiles the complete example with replacements in the pipeline file and in the schema.
func variant(t *testing.T, replace ...string) *Plan {
	t.Helper()
	dir := t.TempDir()
	copied := make(map[string]string)
	for _, file := range []string{"good/complete.yaml", "flights.avsc"} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		copied[file] = string(text)
	}
	for i := 0; i < len(replace); i += 2 {
		found := false
		for file, text := range copied {
			if strings.Contains(text, replace[i]) {
				copied[file], found = strings.Replace(text, replace[i], replace[i+1], 1), true
			}
		}
		if !found {
			t.Fatalf("%q is in neither file", replace[i])
		}
	}
	for file, text := range copied {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return compile(t, load(t, filepath.Join(dir, "good/complete.yaml")))
}

// decides are changes that change results, or who owns a window, or what state means.
var decides = map[string][]string{
	"topic":                  {"topic: flights", "topic: flights2"},
	"event id":               {"event_id: [carrier, flight, scheduled_departure]", "event_id: [carrier, flight]"},
	"no event id":            {"  event_id: [carrier, flight, scheduled_departure]\n", ""},
	"event time":             {"event_time: scheduled_departure", "event_time: left_gate"},
	"key":                    {"key: [origin]", "key: [origin, carrier]", "group_by: [origin]", "group_by: [origin, carrier]"},
	"out of orderness":       {"max_out_of_orderness: 30m", "max_out_of_orderness: 31m"},
	"max future":             {"max_future: 12h", "max_future: 13h"},
	"confirm":                {"confirm: 5", "confirm: 4"},
	"a let":                  {"departure_delay > 60.0", "departure_delay > 61.0"},
	"a let used by a let":    {"distance_km > 3000", "distance_km > 3001"},
	"a let in group_by":      {"scheduled_departure.getHours()", "scheduled_departure.getHours('-05:00')"},
	"group_by":               {"group_by: [origin]", "group_by: [origin, carrier]"},
	"order of group_by":      {"group_by: [carrier, origin,", "group_by: [origin, carrier,"},
	"window":                 {"tumbling: 1h", "tumbling: 2h"},
	"lateness":               {"allowed_lateness: 30m", "allowed_lateness: 31m"},
	"output's name":          {"name: departures-hourly", "name: departures-by-hour"},
	"aggregate's name":       {"      mean_delay: mean", "      average_delay: mean"},
	"aggregate's function":   {"min(flight)", "max(flight)"},
	"aggregate's argument":   {"sum(distance_km)", "sum(flight)"},
	"aggregate's expression": {"* 0.621371", "* 0.62137"},
	"another aggregate":      {"      far: count_if(over_60_far)\n", ""},
	"order of aggregates":    {"      mean_delay: mean(departure_delay)\n      max_delay: max(departure_delay)\n", "      max_delay: max(departure_delay)\n      mean_delay: mean(departure_delay)\n"},
	"type of a field":        {`{"name": "distance_km", "type": "long"}`, `{"name": "distance_km", "type": "double"}`, "distance_km > 3000", "distance_km > 3000.0"},
	"a field nullable":       {`{"name": "flight", "type": "int"}`, `{"name": "flight", "type": ["null", "int"]}`},
}

// indifferent are changes that change no result.
var indifferent = map[string][]string{
	"brokers":               {"kafka-1:9093", "kafka-9:9093"},
	"tls":                   {"  tls: {ca: ./ca.pem}\n", ""},
	"sasl":                  {"SCRAM-SHA-512", "PLAIN"},
	"schema ids":            {"ids: [7, 12]", "ids: [7, 12, 13]"},
	"wire format":           {"format: avro", "format: avro-raw", ", ids: [7, 12]", ""},
	"order of event_id":     {"event_id: [carrier, flight, scheduled_departure]", "event_id: [scheduled_departure, flight, carrier]"},
	"start":                 {"start: latest", "start: earliest"},
	"idleness":              {"idle_after: 1m30s", "idle_after: 2m", "close_when_idle: 2h", "close_when_idle: 0"},
	"default said":          {"  partitioner: murmur2\n", ""},
	"unit of a duration":    {"max_out_of_orderness: 30m", "max_out_of_orderness: 1800s"},
	"an unused let":         {"let:\n", "let:\n  unused: flight > 7\n"},
	"spaces around a let":   {"distance_km > 3000", "  distance_km > 3000  "},
	"order of lets":         {"  hour_of_day: scheduled_departure.getHours()\n", "", "let:\n", "let:\n  hour_of_day: scheduled_departure.getHours()\n"},
	"emit said":             {"    emit: on_close\n", ""},
	"curated topic":         {"topic: {partitions: 8, replication: 3}", "topic: {partitions: 9, replication: 1}"},
	"lake":                  {"file://./lake", "file://./lake2", "every: 5m, bytes_max: 16MiB", "every: 6m, bytes_max: 17MiB"},
	"reconcile":             {"settle: 1h", "settle: 3h", "lookback: 90d", "lookback: 91d", "max_changed_windows: 2.5%", "max_changed_windows: 3%", "flights: 2%", "flights: 3%", "else: fail", "else: hold"},
	"state":                 {"dir: ./state", "dir: ./s", "memory_max: 1GiB", "memory_max: 2GiB", "open_max: 1000", "open_max: 1001", "checkpoint_every: 45s", "checkpoint_every: 46s", "keep: 7", "keep: 8"},
	"commit":                {"every: 500ms", "every: 501ms"},
	"a comment":             {"# Every key", "# Each key"},
	"a field not read":      {`{"name": "tags", "type": {"type": "array", "items": "string"}}`, `{"name": "labels", "type": "string"}`},
	"order of fields":       {`    {"name": "flight", "type": "int"},` + "\n", "", `{"name": "sent_at", "type": "long"}`, `{"name": "sent_at", "type": "long"}, {"name": "flight", "type": "int"}`},
	"width of a field":      {`{"name": "flight", "type": "int"}`, `{"name": "flight", "type": "long"}`},
	"another enum symbol":   {`"DIVERTED", "CANCELLED"`, `"DIVERTED", "CANCELLED", "RETURNED"`},
	"documentation":         {`{"name": "carrier", "type": "string"}`, `{"name": "carrier", "type": "string", "doc": "IATA code"}`},
	"the record's own name": {`"name": "Departure"`, `"name": "Departure2"`},
}

// TestFingerprint, both ways (invariant 5): what decides a result changes it, and nothing else does.
func TestFingerprint(t *testing.T) {
	base := variant(t).Fingerprint
	if len(base) != 12 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Fatalf("the fingerprint is %q", base)
	}
	seen := map[string]string{base: "no change"}
	for name, change := range decides {
		f := variant(t, change...).Fingerprint
		if other := seen[f]; other != "" {
			t.Errorf("%s has the fingerprint of: %s", name, other)
		}
		seen[f] = name
	}
	for name, change := range indifferent {
		if f := variant(t, change...).Fingerprint; f != base {
			t.Errorf("%s decides no result, and changes the fingerprint", name)
		}
	}
}

// TestFingerprintStays: state and checkpoints in the field carry it. A change of this golden value is a change of the
// engine's semantics: it takes every open window out of the stream's hands.
func TestFingerprintStays(t *testing.T) {
	for file, want := range map[string]string{"complete": "f9e34366f5bb", "minimal": "f84b135aa744"} {
		if got := compile(t, load(t, "testdata/good/"+file+".yaml")).Fingerprint; got != want {
			t.Errorf("%s: the fingerprint is %s, was %s", file, got, want)
		}
	}
}

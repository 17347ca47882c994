package infer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// Guess is one choice, and why it was made.
type Guess struct {
	Key   string `json:"key"`   // of the pipeline file
	Value string `json:"value"` // as in the file; empty: left out
	Why   string `json:"why"`
}

// plainPath is a field that expressions and aggregates can name.
var plainPath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// usable says whether a field's name can stand in the file as it is.
func usable(path string) bool {
	for _, part := range strings.Split(path, ".") {
		switch strings.ToLower(part) {
		case "true", "false", "null", "in":
			return false
		}
	}
	return plainPath.MatchString(path)
}

// groupName says whether a field can be a field of the results too.
func groupName(path string) bool {
	return usable(path) && path[0] != '_' && path != "window_start" && path != "window_end"
}

// words are a field's name cut at underscores, dots and capitals, in lower case.
func words(path string) []string {
	var out []string
	word := ""
	for _, r := range path {
		upper := r >= 'A' && r <= 'Z'
		if r == '_' || r == '.' || upper && word != "" && word[len(word)-1] >= 'a' {
			if word != "" {
				out = append(out, strings.ToLower(word))
			}
			word = ""
		}
		if r != '_' && r != '.' {
			word += string(r)
		}
	}
	if word != "" {
		out = append(out, strings.ToLower(word))
	}
	return out
}

func hasAny(path string, names ...string) bool {
	return slices.ContainsFunc(words(path), func(w string) bool { return slices.Contains(names, w) })
}

// eventTime picks among the timestamps: words that say when it happened for it, words that say when it was handled against
// it.
func eventTime(fields []schema.Field) (best schema.Field, why string, ok bool) {
	most := -1 << 30
	others := 0
	for i, f := range fields {
		if !f.Type.Timestamp() || !usable(f.Name) {
			continue
		}
		score := -i
		if hasAny(f.Name, "event", "occurred", "occurrence", "happened", "measured", "observed", "scheduled", "placed", "ordered", "clicked", "started", "opened") {
			score += 4000
		}
		if hasAny(f.Name, "time", "timestamp", "ts", "at", "date", "datetime", "when") {
			score += 2000
		}
		if hasAny(f.Name, "created", "start") {
			score += 1000
		}
		if hasAny(f.Name, "ingest", "ingested", "ingestion", "processed", "processing", "received", "loaded", "inserted", "updated", "modified", "published", "expires", "expiry", "deleted", "ended", "end") {
			score -= 8000
		}
		if f.Type.Nullable {
			score -= 4000
		}
		score -= 500 * strings.Count(f.Name, ".")
		if score > most {
			best, most, ok = f, score, true
		}
		others++
	}
	switch {
	case !ok:
		return best, "", false
	case others == 1:
		why = "the only timestamp"
	default:
		why = "of " + number(others) + " timestamps the one that sounds most like when it happened"
	}
	if best.Type.Nullable {
		why += "; it may be null, and such events are quarantined"
	}
	return best, why, true
}

func number(n int) string {
	names := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	if n < len(names) {
		return names[n]
	}
	return "many"
}

// eventID finds what identifies an event. record is the schema's name: of Order, order_id is the id.
func eventID(fields []schema.Field, record string) (field, why string, ok bool) {
	own := strings.ToLower(record[strings.LastIndexByte(record, '.')+1:])
	most := 0
	for _, f := range fields {
		if f.Type.Kind != schema.KindString && f.Type.Kind != schema.KindInt && f.Type.Kind != schema.KindBytes || f.Type.Logical != "" && f.Type.Logical != "uuid" ||
			f.Type.Avro == "enum" || f.Type.Avro == "boolean" || !usable(f.Name) {
			continue
		}
		w := words(f.Name)
		score := 0
		switch name := strings.Join(w, "_"); {
		case name == "event_id" || name == "event_uuid":
			score = 100
		case name == "id" || name == "uuid" || name == "guid":
			score = 90
		case name == own+"_id" || name == own+"_uuid" || strings.ReplaceAll(name, "_", "") == own+"id":
			score = 80
		case name == "message_id" || name == "record_id" || name == "transaction_id" || name == "txn_id":
			score = 70
		case slices.Contains(w, "uuid"):
			score = 60
		}
		if f.Type.Nullable {
			score -= 50
		}
		if score > most {
			field, most = f.Name, score
		}
	}
	if most == 0 {
		return "", "no field is called like an id: every record counts, a copy too; list the fields that together identify an event", false
	}
	return field, "its name says that it identifies the event: a copy with the same values counts once", true
}

// groupable are words of what people group by.
var groupable = []string{
	"customer", "user", "account", "device", "sensor", "station", "origin", "region", "country", "city", "store", "shop", "merchant", "tenant",
	"symbol", "currency", "category", "type", "kind", "status", "channel", "service", "host", "product", "sku", "line", "site", "vehicle", "carrier", "auction",
}

// groupBy finds a field to group by.
func groupBy(fields []schema.Field, taken []string) (field, why string) {
	most := 0
	for i, f := range fields {
		if slices.Contains(taken, f.Name) || !groupName(f.Name) || f.Type.Avro != "string" && f.Type.Avro != "enum" || f.Type.Logical != "" {
			continue
		}
		score := 1000 - i
		if hasAny(f.Name, groupable...) {
			score += 4000
		}
		if f.Type.Avro == "enum" {
			score += 500
		}
		if hasAny(f.Name, "note", "comment", "text", "message", "description", "url", "email", "payload", "body", "title", "password", "token") {
			score -= 6000
		}
		if f.Type.Nullable {
			score -= 300
		}
		if score > most {
			field, most = f.Name, score
		}
	}
	if most == 0 {
		return "", "no field sounds like something to group by: all events are one group"
	}
	return field, "one row for each of its values and window; most reports begin with one such field"
}

// aggregatesMax is how many fields are aggregated in a first file.
const aggregatesMax = 4

// aggregate is a call with its name.
type aggregate struct{ name, call, why string }

// aggregates finds what to compute. left are numeric fields beyond the first few.
func aggregates(fields []schema.Field, taken []string) (calls []aggregate, left []string) {
	used := map[string]bool{}
	for _, t := range taken {
		used[strings.ReplaceAll(t, ".", "_")] = true
	}
	first := "events"
	if used[first] {
		first = "event_count"
	}
	used[first] = true
	calls = []aggregate{{first, "count()", "how many"}}
	n := 0
	for _, f := range fields {
		number := f.Type.Kind == schema.KindFloat || f.Type.Decimal() || f.Type.Kind == schema.KindInt && f.Type.Logical == "" && f.Type.Avro != "enum"
		if !number || slices.Contains(taken, f.Name) || !usable(f.Name) ||
			hasAny(f.Name, "id", "uuid", "number", "no", "code", "zip", "version", "partition", "offset", "flight", "year", "month", "day", "lat", "lon", "latitude", "longitude", "index", "seq", "sequence") {
			continue
		}
		if n++; n > aggregatesMax {
			left = append(left, f.Name)
			continue
		}
		for _, a := range callsFor(f) {
			if !used[a.name] {
				used[a.name] = true
				calls = append(calls, a)
			}
		}
	}
	return calls, left
}

// callsFor are the aggregates of a numeric field: of amounts their sum, of measurements their mean and extremes.
func callsFor(f schema.Field) []aggregate {
	name := strings.ReplaceAll(f.Name, ".", "_")
	call := func(fn, why string) aggregate { return aggregate{fn + "_" + name, fn + "(" + f.Name + ")", why} }
	switch {
	case f.Type.Decimal():
		return []aggregate{call("sum", "a decimal: exact"), call("max", "")}
	case hasAny(f.Name, "delay", "duration", "latency", "elapsed", "ms", "seconds", "response"):
		calls := []aggregate{call("mean", "a duration"), call("max", "")}
		if f.Type.Kind == schema.KindFloat || f.Type.Kind == schema.KindInt {
			calls = append(calls, aggregate{"p95_" + name, "quantile(" + f.Name + ", 0.95)", "within 1 %"})
		}
		return calls
	case hasAny(f.Name, "amount", "price", "total", "quantity", "qty", "count", "bytes", "size", "distance", "revenue", "cost", "fee", "items", "units", "volume", "value"):
		return []aggregate{call("sum", "an amount"), call("mean", "")}
	}
	return []aggregate{call("mean", "a measurement"), call("min", ""), call("max", "")}
}

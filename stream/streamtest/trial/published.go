package trial

import (
	"maps"
	"time"

	"github.com/linkedin/goavro/v2"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// Row is a published value, in the oracle's words.
type Row struct {
	Values   map[string]string
	Revision int64
	Status   string
	Cause    string
}

// Published reads a curated topic as any consumer can: read committed, decoded by goavro with the published schema. It
// returns the history of each window, in the order of the topic.
func (w *World) Published() map[streamtest.Window][]Row {
	w.TB.Helper()
	out := map[streamtest.Window][]Row{}
	for i, spec := range streamtest.OrdersOutputs() {
		codec, err := goavro.NewCodec(w.Plan.Codecs[i].ValueSchema())
		w.must(err)
		w.Each(spec.Name, func(r *kafka.Record) {
			native, rest, err := codec.NativeFromBinary(r.Value)
			if err != nil || len(rest) > 0 {
				w.TB.Fatalf("%s/%d@%d: %v, %d bytes left", r.Topic, r.Partition, r.Offset, err, len(rest))
			}
			f := plain(native.(map[string]any))
			win := streamtest.Window{Output: spec.Name, Group: streamtest.GroupText(f, spec.Group), Start: f["window_start"].(int64), End: f["window_end"].(int64)}
			v := Row{Values: map[string]string{}, Revision: f["_revision"].(int64), Status: f["_status"].(string), Cause: f["_cause"].(string)}
			for _, a := range spec.Aggregates {
				v.Values[a.Name] = streamtest.Text(f[a.Name])
			}
			out[win] = append(out[win], v)
		})
	}
	return out
}

// plain takes goavro's unions and times apart.
func plain(m map[string]any) streamtest.Fact {
	f := streamtest.Fact{}
	for k, v := range m {
		if u, ok := v.(map[string]any); ok && len(u) == 1 {
			for _, inner := range u {
				v = inner
			}
		}
		if ts, ok := v.(time.Time); ok {
			v = ts.UnixMilli()
		}
		f[k] = v
	}
	return f
}

// Newest is the value that a consumer holds who upserts by key: the last one. Judge insists that no revision is above it (Folded).
func Newest(history []Row) Row { return history[len(history)-1] }

// SameHistory says whether each window was published equally often.
func SameHistory(a, b map[streamtest.Window][]Row) bool {
	return maps.EqualFunc(a, b, func(x, y []Row) bool { return len(x) == len(y) })
}

package flow

import (
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/join"
)

// An event whose join key is longer than any buffer takes is invalid, and reported: no reason for a task to stop (law L3).
func TestJoinKeyTooLong(t *testing.T) {
	for name, how := range map[string]string{
		"interval": "join: {interval: {left: a, right: b, on: {a: [user], b: [user]}, between: [0s, 5m]}, allowed_lateness: 1m}",
		"enriched": "enrich: {source: a, with: b, on: {a: [user], b: [user]}, allowed_lateness: 1m}",
	} {
		r := newRig(t, compile(t, "sources:\n  a: "+click("a", "event_id: [id], key: [user]")+"\n  b: "+click("b", "event_id: [id], key: [user]")+"\n"+how+`
outputs:
  - {name: o, group_by: [a.user], window: {tumbling: 10m}, allowed_lateness: 1m, aggregate: {n: count(), last: last(a.page)}}
`), 1)
		for input := range 2 {
			r.take(input, event("long", strings.Repeat("u", join.KeyMax+1), "p", rigEpoch, 1), Invalid)
			r.take(input, event("short", "u", "p", rigEpoch, 1), Aggregated)
		}
		if len(r.reports) != 2 || !strings.HasPrefix(r.reports[0].Reason, reasonJoinKeyTooLong+": ") || r.reports[0].Kind != ReportInvalid {
			t.Errorf("%s: reports %+v", name, r.reports)
		}
		r.must(r.flow.Raise(0, rigEpoch+60*minute))
		r.must(r.flow.Raise(1, rigEpoch+60*minute))
		r.must(r.flow.Close())
		if len(r.closed) != 1 || r.closed[0].Events != 1 {
			t.Errorf("%s: windows %+v", name, r.closed)
		}
	}
}

package trial

import (
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// A judge is not content with a topic in which a key's revision falls, or is there twice, whatever is in force in the end (exactly once:
// each revision of a row is seen once, and they rise).
func TestFoldOfAKey(t *testing.T) {
	codec, err := curated.NewCodec("p", "out", []curated.GroupField{{Name: "city", Type: schema.Type{Kind: schema.KindString, Avro: "string"}}},
		[]window.Agg{{Name: "n", Func: window.Count, Arg: -1}})
	if err != nil {
		t.Fatal(err)
	}
	type value struct {
		revision, n int64
		status      curated.Status
	}
	for name, c := range map[string]struct {
		values []value
		fault  string
	}{
		"rises":                  {[]value{{1, 1, curated.Open}, {2, 2, curated.Open}, {3, 2, curated.Closed}, {4, 5, curated.Reconciled}}, ""},
		"open again":             {[]value{{2, 2, curated.Open}, {2, 2, curated.Open}, {3, 2, curated.Closed}}, ""},
		"falls":                  {[]value{{12, 11, curated.Closed}, {2, 1, curated.Closed}}, "out/2@1: revision 2 of oslo (CLOSED) follows revision 12"},
		"falls and is put right": {[]value{{12, 11, curated.Closed}, {2, 1, curated.Closed}, {13, 11, curated.Reconciled}}, "revision 2 of oslo (CLOSED) follows revision 12"},
		"twice":                  {[]value{{3, 2, curated.Closed}, {3, 2, curated.Closed}}, "revision 3 of oslo (CLOSED) follows revision 3"},
		"two values":             {[]value{{3, 2, curated.Open}, {3, 4, curated.Open}}, "revision 3 of oslo has two values"},
	} {
		f := newFold("out", codec)
		for i, v := range c.values {
			row := &curated.Row{
				Key: codec.AppendGroupKey(nil, []schema.Value{schema.StringValue([]byte("oslo"))}), Start: 0, End: 3_600_000,
				Values: []schema.Value{schema.IntValue(v.n)}, Revision: v.revision, Status: v.status, Cause: curated.CauseClose, Pipeline: "p",
			}
			f.take(&kafka.Record{Partition: 2, Offset: int64(i), Key: codec.AppendKey(nil, row), Value: codec.AppendValue(nil, row)})
		}
		if got := strings.Join(f.faults, "; "); (got == "") != (c.fault == "") || !strings.Contains(got, c.fault) {
			t.Errorf("%s: %q, want %q", name, got, c.fault)
		}
		if len(f.inForce) != 1 {
			t.Errorf("%s: %d windows in force", name, len(f.inForce))
		}
	}
}

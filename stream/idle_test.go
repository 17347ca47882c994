package stream

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A task of another process is known by its checkpoint. One source that goes on doesn't make another of the same task look
// alive: else two processes would each wait for the other's silent partition, and neither would raise its own.
func TestSiblingIsSilentByInput(t *testing.T) {
	p := newPair(t, "cogroup")
	there, _ := p.open(filepath.Join(t.TempDir(), "there"))
	began := time.UnixMilli(1_357_700_000_000)
	clock := began
	there.now = func() int64 { return clock.UnixMilli() }
	take := func(in *input, id string) *state.Cut {
		value := []byte(`{"id":"` + id + `","user":"u","at":1357689600000}`)
		p.must(there.process(in, []*kafka.Record{{Topic: in.topic, Offset: in.next, Value: value}}))
		cut, err := there.cut()
		p.must(err)
		return cut
	}
	p.must(there.born([]int64{0, 0}))
	take(there.inputs[0], "x")
	take(there.inputs[1], "y")
	clock = began.Add(time.Hour)
	cut := take(there.inputs[0], "z")
	r := &runner{
		sources:  []*source{{TopicInfo: &kafka.TopicInfo{Name: "a", Partitions: 1}}, {TopicInfo: &kafka.TopicInfo{Name: "b", Partitions: 1}}},
		observed: map[string]map[int32]kafka.Ends{"a": {0: {High: 2}}, "b": {0: {High: 1}}},
	}
	for number, want := range []time.Duration{0, time.Hour} {
		if v, ok := r.sibling(nil, cut, number, 0, clock); !ok || v.silentFor != want {
			t.Errorf("input %d is silent for %s, want %s", number, v.silentFor, want)
		}
	}
	p.must(there.store.Apply(cut, func(b state.Batch) error { return there.flow.Write(b) }))
	p.must(there.store.Close())
	again, _ := p.open(filepath.Join(t.TempDir(), "again"))
	p.must(again.resume(cut))
	if cut, err := again.cut(); err != nil || cut.Sources[1].LastRecordAt != began.UnixMilli() {
		t.Errorf("after a restart: %+v, %v", cut, err)
	}
	p.must(again.store.Close())
}

package lake_test

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// goldenHoleDir holds a lake with an entry of version 2.
const goldenHoleDir = "testdata/v2"

func accepted() lake.GivenUp {
	return lake.GivenUp{Pipeline: "orders", Order: 1, Decision: 4, At: 1357372800000, Reason: `retention was "3 days" <for years>`}
}

// landHole lands records, gives offsets 2 to 9 up, and goes on.
func landHole(t *testing.T) *blob.Memory {
	t.Helper()
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	appendAll(t, l, reading(0, 0, hour7, "a"), reading(0, 1, hour7+5, "b"))
	land(t, l)
	if err := l.GiveUp(t.Context(), 10, accepted()); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, reading(0, 10, hour7+9, "c"))
	land(t, l)
	return b
}

// The bytes of version 2 never move, and only the entry that says what was given up is of it (invariant 4).
func TestGoldenHole(t *testing.T) {
	b := landHole(t)
	have := snapshot(t, b)
	wantGolden(t, goldenHoleDir, have)
	for key, text := range have {
		if hole := strings.HasSuffix(key, "_log/0/00000000000000000002.json"); strings.Contains(text, `"version":2`) != hole {
			t.Errorf("%s: %s", key, text)
		}
	}
	found, log := readAll(t, b, 0)
	if len(found) != 3 || log.End() != 11 || len(log.Entries()) != 3 {
		t.Errorf("%d records up to %d in %d entries", len(found), log.End(), len(log.Entries()))
	}
	want := []lake.Hole{{Partition: 0, First: 2, End: 10, GivenUp: accepted()}}
	if sum := checkClean(t, b); !reflect.DeepEqual(sum.GivenUp, want) {
		t.Errorf("check: %+v", sum)
	}
}

// A range that holds no record for another reason, as that of an aborted transaction, says nothing of a loss.
func TestAbortedIsNotGivenUp(t *testing.T) {
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	appendAll(t, l, reading(0, 0, hour7, "a"))
	land(t, l)
	l.Advance(7)
	land(t, l)
	if err := l.GiveUp(t.Context(), 7, accepted()); err != nil { // landed by someone
		t.Fatal(err)
	}
	if sum := checkClean(t, b); len(sum.GivenUp) != 0 || sum.Ranges[0].Entries != 2 {
		t.Errorf("check: %+v", sum)
	}
}

// What another writer has landed of the range stays (invariant 2); only the rest is given up.
func TestGiveUpBehindAnother(t *testing.T) {
	b := blob.NewMemory()
	topic := openTopic(t, b)
	late, first := openLander(t, topic, 0, lake.LanderOptions{}), openLander(t, topic, 0, lake.LanderOptions{})
	appendAll(t, first, reading(0, 0, hour7, "a"), reading(0, 1, hour7, "b"))
	land(t, first)
	if err := late.GiveUp(t.Context(), 5, accepted()); err != nil {
		t.Fatal(err)
	}
	sum := checkClean(t, b)
	if len(sum.GivenUp) != 1 || sum.GivenUp[0].First != 2 || sum.GivenUp[0].End != 5 || sum.Records != 2 || late.Landed() != 5 {
		t.Errorf("check: %+v, landed %d", sum, late.Landed())
	}
	appendAll(t, first, reading(0, 2, hour7, "c"))
	if err := first.GiveUp(t.Context(), 9, accepted()); err == nil {
		t.Error("records that a lander holds are given up")
	}
	if err := late.GiveUp(t.Context(), 9, lake.GivenUp{Pipeline: "orders", Reason: "x"}); err == nil {
		t.Error("given up by no order")
	}
	late.Close()
	if err := late.GiveUp(t.Context(), 9, accepted()); err == nil {
		t.Error("given up by a closed lander")
	}
}

// resealed is a document with the checksum of its bytes.
func resealed(text string) string {
	body := text[:strings.LastIndex(text, `,"sum":"`)]
	sum := sha256.Sum256([]byte(body))
	return body + `,"sum":"` + hex.EncodeToString(sum[:])[:32] + "\"}\n"
}

// An entry that contradicts itself is damage: a loss that it doesn't say by its version, or one of a range with records
// (invariant 8).
func TestBadHole(t *testing.T) {
	good := snapshot(t, landHole(t))
	const hole, plain = "raw/readings/_log/0/00000000000000000002.json", "raw/readings/_log/0/00000000000000000000.json"
	for _, c := range []struct{ key, old, now string }{
		{hole, `"version":2`, `"version":1`},
		{plain, `"version":1`, `"version":2`},
		{plain, `"files":`, `"given_up":{"pipeline":"orders","order":1,"decision":4,"at":0,"reason":""},"files":`},
		{hole, `"order":1`, `"order":0`},
		{hole, `"reason"`, `"more":1,"reason"`},
	} {
		b := blob.NewMemory()
		for key, text := range good {
			if key == c.key {
				if text = resealed(strings.Replace(text, c.old, c.now, 1)); text == good[key] {
					t.Fatalf("%s: nothing to replace", c.old)
				}
			}
			if err := b.PutIfAbsent(t.Context(), key, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		topic, err := lake.LookTopic(t.Context(), b, "readings")
		if err != nil {
			t.Fatal(err)
		}
		wantCorrupt(t, topic.Log(0).Refresh(t.Context()), c.key)
		var kinds []lake.FaultKind
		if _, err := lake.Check(t.Context(), b, "readings", func(f lake.Fault) { kinds = append(kinds, f.Kind) }); err != nil || !slices.Contains(kinds, lake.FaultLog) {
			t.Errorf("%s: check found %v, %v", c.now, kinds, err)
		}
	}
}

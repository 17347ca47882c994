package lake_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// goldenDir holds a lake written by the first version of every format. It is
// never written again: a new version gets a directory of its own, and this one
// must still be read.
const goldenDir = "testdata/v1"

// goldenEvents cover every shape that the formats have.
func goldenEvents() []event {
	events := []event{
		reading(0, 5, hour7, "a"),
		reading(0, 6, hour7+1, "b"),
		invalid(0, 7, []byte{1, 2, 3}, "truncated"),
		invalid(0, 9, nil, "null_value"),
		reading(0, 10, hour7-hourMs*24*365, "late"),
		reading(0, 11, hour7+2, "c"),
	}
	events[0].record.Key = nil
	events[1].record.Key = []byte{}
	events[1].record.Headers = []lake.Header{{Key: "trace", Value: []byte{0xff}}, {Key: "none"}}
	events[5].landing.SchemaID = 7
	return events
}

func landGolden(t *testing.T) *blob.Memory {
	t.Helper()
	b := blob.NewMemory()
	d := declaration()
	d.Schemas = append(d.Schemas, lake.SchemaDecl{ID: 7, JSON: eventSchema})
	topic, err := lake.OpenTopic(t.Context(), b, d)
	if err != nil {
		t.Fatal(err)
	}
	l := openLander(t, topic, 0, lake.LanderOptions{FirstOffset: 5})
	events := goldenEvents()
	appendAll(t, l, events[:4]...)
	land(t, l)
	appendAll(t, l, events[4:]...)
	l.Advance(15)
	land(t, l)
	l.Advance(20)
	land(t, l) // an entry without a record
	return b
}

// TestGoldenBytes: what is written today equals the first version's bytes
// (invariant 4 makes that a fair demand), so no format changed unnoticed.
func TestGoldenBytes(t *testing.T) {
	wantGolden(t, goldenDir, snapshot(t, landGolden(t)))
}

// wantGolden compares a lake with the one in dir, object by object.
func wantGolden(t *testing.T, dir string, have map[string]string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		key, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if have[filepath.ToSlash(key)] != string(data) {
			t.Errorf("%s: today it is\n%q, it was\n%q", key, have[filepath.ToSlash(key)], data)
		}
		seen++
		return err
	})
	if err != nil || seen != len(have) {
		t.Errorf("%d golden objects, %d written today (%v)", seen, len(have), err)
	}
}

// TestGoldenReads: the first version's bytes are read.
func TestGoldenReads(t *testing.T) {
	b, err := blob.OpenDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	found, log := readAll(t, b, 0)
	wantEvents(t, found, goldenEvents())
	if log.Start() != 5 || log.End() != 20 || len(log.Entries()) != 3 {
		t.Errorf("the log covers %d to %d in %d entries", log.Start(), log.End(), len(log.Entries()))
	}
	if sum := checkClean(t, b); sum.Records != 6 || sum.Quarantined != 2 || sum.Pending+sum.Garbage != 0 {
		t.Errorf("check: %+v", sum)
	}
}

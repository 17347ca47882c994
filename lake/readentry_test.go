package lake_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// TestReadEntryIsTheTopic (L3): an entry is read in the order of offsets, over hours, quarantine and block ends, from any offset.
func TestReadEntryIsTheTopic(t *testing.T) {
	const seed = 20130105
	rng := rand.New(rand.NewPCG(seed, 1))
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	var events []event
	for offset := int64(100); len(events) < 3000; offset += 1 + rng.Int64N(3) {
		switch rng.IntN(20) {
		case 0:
			events = append(events, invalid(0, offset, []byte("zz"), "truncated"))
		case 1:
			events = append(events, invalid(0, offset, nil, "null"))
		default:
			id := fmt.Sprintf("%0*d", 1+rng.IntN(200), offset)
			events = append(events, reading(0, offset, hour7+rng.Int64N(5*hourMs), id))
		}
	}
	appendAll(t, l, events...)
	land(t, l)
	_, log := readAll(t, b, 0)
	entry := log.Entries()[0]
	if len(entry.Files) != 6 {
		t.Fatalf("%d files, want five hours and the quarantine", len(entry.Files))
	}
	for _, from := range []int64{0, events[0].record.Offset + 1, events[1500].record.Offset, events[2999].record.Offset, entry.End} {
		want := events
		for len(want) > 0 && want[0].record.Offset < from {
			want = want[1:]
		}
		found, order := map[int64]lake.Stored{}, []int64{}
		err := lake.ReadEntry(t.Context(), b, entry, from, func(s *lake.Stored) error {
			found[s.Offset] = cloneStored(s)
			order = append(order, s.Offset)
			return nil
		})
		if err != nil || !slices.IsSorted(order) || len(order) != len(found) {
			t.Fatalf("from %d: %v; %d records in order: %v", from, err, len(order), slices.IsSorted(order))
		}
		wantEvents(t, found, want)
	}
	enough := errors.New("enough")
	if err := lake.ReadEntry(t.Context(), b, entry, 0, func(*lake.Stored) error { return enough }); err != enough {
		t.Errorf("the callback's error came back as %v", err)
	}
}

// TestReadEntryTellsNothingOfADamagedFile (invariant 8): no record is given out of an entry one of whose files is damaged anywhere.
func TestReadEntryTellsNothingOfADamagedFile(t *testing.T) {
	b, entry := smallLake(t)
	for _, f := range entry.Files {
		good, err := b.Get(t.Context(), f.Path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			bad := slices.Clone(good)
			bad[i] ^= 1
			if err := b.Put(t.Context(), f.Path, bad); err != nil {
				t.Fatal(err)
			}
			told := 0
			err := lake.ReadEntry(context.Background(), b, entry, 0, func(*lake.Stored) error { told++; return nil })
			wantCorrupt(t, err, f.Path)
			if told > 0 || t.Failed() {
				t.Fatalf("byte %d of %s flipped: %d records were told", i, f.Path, told)
			}
		}
		if err := b.Put(t.Context(), f.Path, good); err != nil {
			t.Fatal(err)
		}
	}
}

package window

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/window/internal/zoneinfo"
)

var zoneNames = []string{
	"UTC", "America/New_York", "America/Havana", "Asia/Beirut", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia",
	"Africa/Casablanca", "Asia/Gaza", "America/Sao_Paulo", "Antarctica/Troll", "Asia/Manila", "America/Juneau",
}

func zone(t *testing.T, name string) *Zone {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func zonedOutputs(z *Zone) []Output {
	return []Output{
		{Name: "day", Size: dayMs, Zone: z}, {Name: "6h", Size: dayMs / 4, Zone: z}, {Name: "15m", Size: dayMs / 96, Zone: z}, {Name: "week", Size: 7 * dayMs, Zone: z},
		{Name: "2 of 1", Size: 2 * dayMs, Every: dayMs, Zone: z}, {Name: "7 of 2", Size: 7 * dayMs, Every: 2 * dayMs, Zone: z},
		{Name: "utc 7 of 3", Size: 7, Every: 3}, {Name: "utc 10 of 10", Size: 10, Every: 10}, {Name: "utc 1h of 25m", Size: 3_600_000, Every: 1_500_000},
	}
}

// interesting draws times: around the transitions of the zone, and anywhere.
func interesting(r *rand.Rand, z *Zone) int64 {
	t := hashFrom/2 + r.Int64N(2*hashTo)
	switch r.IntN(8) {
	case 0:
		return TimeMin + r.Int64N(TimeMax-TimeMin)
	case 1:
		return t
	case 2:
		return time.Date(1970+r.IntN(200), 12, 31, r.IntN(24), 59, 59, 0, time.UTC).UnixMilli() // of leap years, too
	}
	if end := z.period(t).End; end < TimeMax {
		return end + []int64{-dayMs, -3_600_001, -1, 0, 1, 3_600_000, dayMs}[r.IntN(7)] + r.Int64N(3) - 1
	}
	return t
}

// Windows tile time: each instant is in windows that hold it, of which tumbling ones are one; the next instant after a
// tumbling window is in the window that begins there; a window's start tells its end; and a slot's windows are those
// of all its times (invariant 2: the verdict is a function of time).
func TestWindowsTileTime(t *testing.T) {
	for _, name := range zoneNames {
		z := zone(t, name)
		r := rand.New(rand.NewPCG(seed, 7))
		t.Logf("seed %d", seed)
		for _, def := range zonedOutputs(z) {
			o := &output{Output: def}
			if err := o.setUp(); err != nil {
				t.Fatal(err)
			}
			for range 300 {
				checkTiles(t, r, o, interesting(r, z))
			}
		}
	}
}

func checkTiles(t *testing.T, r *rand.Rand, o *output, at int64) {
	t.Helper()
	ws := o.Assign(at, nil)
	tumbling := o.every() == o.Size
	if len(ws) == 0 || int64(len(ws)) > o.most() || tumbling && len(ws) != 1 {
		t.Fatalf("%s: %d windows hold %d", o.Name, len(ws), at)
	}
	for i, w := range ws {
		if !w.holds(at) || i > 0 && (w.Start <= ws[i-1].Start || w.End < ws[i-1].End) {
			t.Fatalf("%s: windows of %d are %v", o.Name, at, ws)
		}
		if got, ok := o.of(w.Start); !ok || got != w {
			t.Fatalf("%s: the window that starts at %d is %v, %v; not %v", o.Name, w.Start, got, ok, w)
		}
	}
	if next := o.Assign(ws[0].End, nil); tumbling && next[0].Start != ws[0].End {
		t.Fatalf("%s: %v is followed by %v", o.Name, ws[0], next[0])
	}
	same := o.same(at, ws)
	for _, other := range []int64{same.Start, same.End - 1, same.Start + r.Int64N(same.End-same.Start)} {
		if got := o.Assign(other, nil); !slices.Equal(got, ws) {
			t.Fatalf("%s: %d has %v, %d of the same slot %v", o.Name, at, ws, other, got)
		}
	}
	if !same.holds(at) || o.Zone == nil && (slices.Equal(o.Assign(same.End, nil), ws) || slices.Equal(o.Assign(same.Start-1, nil), ws)) {
		t.Fatalf("%s: the slot of %d is %v, with windows %v", o.Name, at, same, ws)
	}
}

// Every zone of the database tiles time.
func TestAllZones(t *testing.T) {
	names, err := zoneinfo.Names()
	if err != nil || len(names) < 500 {
		t.Fatal(len(names), err)
	}
	r := rand.New(rand.NewPCG(seed, 8))
	t.Logf("seed %d", seed)
	for _, name := range names {
		z := zone(t, name)
		o := &output{Output: Output{Name: name, Size: dayMs, Zone: z}}
		if err := o.setUp(); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			checkTiles(t, r, o, interesting(r, z))
		}
	}
}

// A local day is a calendar day wherever clocks don't pass midnight twice: Go's own calendar agrees.
func TestDaysAreCalendarDays(t *testing.T) {
	for _, name := range []string{"America/New_York", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe"} {
		z := zone(t, name)
		o := &Output{Size: dayMs, Zone: z}
		for day := range 20_000 {
			at := time.Date(1970, 1, 1+day, 12, 0, 0, 0, z.loc)
			begin, end := time.Date(1970, 1, 1+day, 0, 0, 0, 0, z.loc), time.Date(1970, 1, 2+day, 0, 0, 0, 0, z.loc)
			if w := o.Assign(at.UnixMilli(), nil)[0]; w != (Span{begin.UnixMilli(), end.UnixMilli()}) {
				t.Fatalf("%s: %v is in %v", name, at, w)
			}
		}
	}
}

// A zone is a function of the program: neither ZONEINFO nor the system's files change it. Equal rules are one hash.
func TestZoneHash(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir())
	if a, b := zone(t, "America/New_York"), zone(t, "US/Eastern"); a.Hash() != b.Hash() || a.Name() == b.Name() {
		t.Error("two names of one zone have two hashes")
	}
	seen := map[[8]byte]string{}
	for _, name := range zoneNames {
		h := zone(t, name).Hash()
		if other, has := seen[h]; has {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[h] = name
	}
	const want = "e1dadf8b37ca4492"
	if got := hex8(zone(t, "America/New_York").Hash()); got != want {
		t.Errorf("the hash of America/New_York is %s, was %s: state of its windows can't be read any more", got, want)
	}
}

// What is nearly a name gets a hint.
func TestLoadZoneHints(t *testing.T) {
	for name, want := range map[string]string{"america/new_york": "is America/New_York meant?", "New York": "is America/New_York meant?", "Mars/Olympus": "names are like"} {
		if _, err := LoadZone(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

func hex8(h [8]byte) string { return hex.EncodeToString(h[:]) }

func TestLoadZoneRefuses(t *testing.T) {
	for _, name := range []string{"", "Local", "america/new_york", "America", "America/", "../zoneinfo.go", "/etc/localtime", "America/Gotham"} {
		if z, err := LoadZone(name); !errors.Is(err, zoneinfo.ErrUnknown) {
			t.Errorf("%q is %v, %v", name, z, err)
		}
	}
}

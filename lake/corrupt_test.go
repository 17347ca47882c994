package lake_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest"
)

func nothing(*lake.Stored) error { return nil }

// smallLake has one entry with a raw and a quarantine file.
func smallLake(t testing.TB) (*blob.Memory, lake.Entry) {
	t.Helper()
	b := blob.NewMemory()
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	appendAll(t, l, reading(0, 0, hour7, "a"), reading(0, 1, hour7+5, "b"), invalid(0, 2, []byte("zz"), "truncated"), reading(0, 3, hour7, "c"))
	land(t, l)
	_, log := readAll(t, b, 0)
	return b, log.Entries()[0]
}

// TestCorruptFile (invariant 8): any changed byte, any shorter or longer file,
// and a missing one, is a CorruptError that names the file, and Check finds it.
func TestCorruptFile(t *testing.T) {
	b, entry := smallLake(t)
	for _, f := range entry.Files {
		good, err := b.Get(t.Context(), f.Path)
		if err != nil {
			t.Fatal(err)
		}
		try := func(what string, bad []byte) {
			if err := b.Put(t.Context(), f.Path, bad); err != nil {
				t.Fatal(err)
			}
			err := lake.ReadFile(t.Context(), b, f, nothing)
			wantCorrupt(t, err, f.Path)
			if t.Failed() {
				t.Fatal(what)
			}
		}
		for i := range good {
			for _, bit := range []byte{1, 0x80} {
				bad := append([]byte{}, good...)
				bad[i] ^= bit
				try("flipped byte", bad)
			}
			try("cut", good[:i])
		}
		try("longer", append(append([]byte{}, good...), 0))
		try("doubled", append(append([]byte{}, good...), good...))
		if err := b.Delete(t.Context(), f.Path); err != nil {
			t.Fatal(err)
		}
		err = lake.ReadFile(t.Context(), b, f, nothing)
		wantCorrupt(t, err, f.Path)
		if !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("a missing file: %v", err)
		}
		var kinds []string
		if _, err := lake.Check(t.Context(), b, "readings", func(f lake.Fault) { kinds = append(kinds, string(f.Kind)) }); err != nil || strings.Join(kinds, " ") != "missing_file" {
			t.Errorf("check found %v, %v", kinds, err)
		}
		if err := b.Put(t.Context(), f.Path, good); err != nil {
			t.Fatal(err)
		}
	}
	checkClean(t, b)
}

// TestCorruptEntry: any changed byte of a log entry or start marker stops
// readers and landers with a CorruptError; nobody guesses.
func TestCorruptEntry(t *testing.T) {
	b, _ := smallLake(t)
	for _, key := range []string{"raw/readings/_log/0/00000000000000000000.json", "raw/readings/_log/_start/0000000000.json"} {
		good, err := b.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			bad := append([]byte{}, good...)
			bad[i] ^= 1
			if err := b.Put(t.Context(), key, bad); err != nil {
				t.Fatal(err)
			}
			topic, err := lake.LookTopic(t.Context(), b, "readings")
			if err != nil {
				t.Fatal(err)
			}
			wantCorrupt(t, topic.Log(0).Refresh(t.Context()), key)
			_, err = topic.Lander(t.Context(), 0, lake.LanderOptions{Now: newClock().Now})
			wantCorrupt(t, err, key)
		}
		if err := b.Put(t.Context(), key, good); err != nil {
			t.Fatal(err)
		}
	}
	checkClean(t, b)
}

// TestCorruptDeclaration: the same for the declaration and the schemas.
func TestCorruptDeclaration(t *testing.T) {
	for _, key := range []string{"raw/readings/_topic.json", "raw/readings/_schema/0000000000.json"} {
		b, _ := smallLake(t)
		good, err := b.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		good[20] ^= 1
		if err := b.Put(t.Context(), key, good); err != nil {
			t.Fatal(err)
		}
		_, err = lake.LookTopic(t.Context(), b, "readings")
		wantCorrupt(t, err, key)
		_, err = lake.OpenTopic(t.Context(), b, declaration())
		wantCorrupt(t, err, key)
		var paths []string
		sum, err := lake.Check(t.Context(), b, "readings", func(f lake.Fault) { paths = append(paths, string(f.Kind)+" "+f.Path) })
		if err != nil || len(paths) != 1 || paths[0] != "declaration "+key || sum.Records != 4 {
			t.Errorf("check: %v %v %+v", paths, err, sum)
		}
	}
}

// TestReadFileErrors: what is not corruption is not called so, and the
// callback's own error comes through, unless the file explains it.
func TestReadFileErrors(t *testing.T) {
	b, entry := smallLake(t)
	f := entry.Files[1]
	for n := 1; n <= 2; n++ {
		faulty := blobtest.NewFaulty(b)
		faulty.FailAt(n, blobtest.Before)
		err := lake.ReadFile(t.Context(), faulty, f, nothing)
		var corrupt *lake.CorruptError
		if !errors.Is(err, blobtest.ErrInjected) || errors.As(err, &corrupt) || !strings.Contains(err.Error(), f.Path) {
			t.Errorf("a fault of the bucket at call %d: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lake.ReadFile(ctx, b, f, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}

	enough, calls := errors.New("enough"), 0
	stop := func(*lake.Stored) error { calls++; return enough }
	if err := lake.ReadFile(t.Context(), b, f, stop); !errors.Is(err, enough) || calls != 1 {
		t.Errorf("the callback's error: %v after %d calls", err, calls)
	}
	data, err := b.Get(t.Context(), f.Path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-20] ^= 1 // in the last payload
	if err := b.Put(t.Context(), f.Path, data); err != nil {
		t.Fatal(err)
	}
	err = lake.ReadFile(t.Context(), b, f, stop)
	wantCorrupt(t, err, f.Path)
	if !errors.Is(err, enough) {
		t.Errorf("the callback's error is lost: %v", err)
	}
}

// TestLandOverCorruptFile: a file of our name with other bytes stops the
// landing; it is neither trusted nor overwritten.
func TestLandOverCorruptFile(t *testing.T) {
	b, entry := smallLake(t)
	path := entry.Files[1].Path
	if err := b.Put(t.Context(), path, []byte("else")); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), "raw/readings/_log/0/00000000000000000000.json"); err != nil {
		t.Fatal(err)
	}
	l := openLander(t, openTopic(t, b), 0, lake.LanderOptions{})
	appendAll(t, l, reading(0, 0, hour7, "a"), reading(0, 1, hour7+5, "b"), invalid(0, 2, []byte("zz"), "truncated"), reading(0, 3, hour7, "c"))
	batch := l.Seal()
	wantCorrupt(t, l.Land(t.Context(), batch), path)
	if err := b.Delete(t.Context(), path); err != nil { // the operator moves it away
		t.Fatal(err)
	}
	if err := l.Land(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	checkClean(t, b)
}

// FuzzReadFile: whatever a file holds, reading it neither crashes nor takes
// more memory than the file has; a file with a fitting checksum too.
func FuzzReadFile(f *testing.F) {
	b, entry := smallLake(f)
	for _, file := range entry.Files {
		data, err := b.Get(context.Background(), file.Path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, file.Quarantine)
		rng := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			bad := append([]byte{}, data...)
			bad[rng.IntN(len(bad))] = byte(rng.Int())
			f.Add(bad, file.Quarantine)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, quarantine bool) {
		i := 0
		if entry.Files[1].Quarantine == quarantine {
			i = 1
		}
		file := entry.Files[i]
		sum := sha256.Sum256(data)
		file.SHA256, file.Bytes = hex.EncodeToString(sum[:]), int64(len(data))
		b := blob.NewMemory()
		if err := b.Put(t.Context(), file.Path, data); err != nil {
			t.Fatal(err)
		}
		records := int64(0)
		err := lake.ReadFile(t.Context(), b, file, func(s *lake.Stored) error { records++; return nil })
		var corrupt *lake.CorruptError
		if err == nil && records != file.Records || err != nil && !errors.As(err, &corrupt) {
			t.Errorf("%d records, %v", records, err)
		}
	})
}

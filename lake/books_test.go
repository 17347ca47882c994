package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
)

// blind is a bucket whose first get of every key finds nothing, as it is for
// one of two processes that look at the same time before both put.
type blind struct {
	blob.Bucket
	mu   sync.Mutex
	seen map[string]bool
}

func (b *blind) Get(ctx context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	first := !b.seen[key]
	b.seen[key] = true
	b.mu.Unlock()
	if first {
		return nil, fmt.Errorf("get %s: %w", key, blob.ErrNotFound)
	}
	return b.Bucket.Get(ctx, key)
}

// hooked is a bucket that calls before at every put of a file.
type hooked struct {
	blob.Bucket
	before func(key string)
}

func (h *hooked) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if strings.HasSuffix(key, ".avro") {
		h.before(key)
	}
	return h.Bucket.PutIfAbsent(ctx, key, pieces...)
}

func checkDeclaration() Declaration {
	return Declaration{Topic: "t", EventTime: "at", Format: "avro-raw", Schemas: []SchemaDecl{{JSON: checkSchema}}}
}

func checkLander(t *testing.T, b blob.Bucket, o LanderOptions) *Lander {
	t.Helper()
	topic, err := OpenTopic(t.Context(), b, checkDeclaration())
	if err != nil {
		t.Fatal(err)
	}
	o.Now = func() time.Time { return time.UnixMilli(0) }
	l, err := topic.Lander(t.Context(), 0, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func appendAt(t *testing.T, l *Lander, offset, ms int64) {
	t.Helper()
	if err := l.Append(&Record{Offset: offset, Key: make([]byte, offset%300), Value: at(ms)}, Landing{Time: ms, Payload: at(ms)}); err != nil {
		t.Fatal(err)
	}
}

// TestLosesEveryRace (invariant 2): whatever is put if absent, having lost
// means taking over what won.
func TestLosesEveryRace(t *testing.T) {
	store := blob.NewMemory()
	winner := checkLander(t, store, LanderOptions{FirstOffset: 7})
	appendAt(t, winner, 7, 1)
	if err := winner.Land(t.Context(), winner.Seal()); err != nil {
		t.Fatal(err)
	}
	b := &blind{Bucket: store, seen: map[string]bool{}}
	d := checkDeclaration()
	d.EventTime = "other"
	var refused *DeclarationError
	if _, err := OpenTopic(t.Context(), b, d); !errors.As(err, &refused) {
		t.Errorf("another declaration that lost: %v", err)
	}
	b = &blind{Bucket: store, seen: map[string]bool{}}
	d = checkDeclaration()
	d.Schemas[0].JSON = strings.Replace(checkSchema, `"E"`, `"F"`, 1)
	if _, err := OpenTopic(t.Context(), b, d); !errors.As(err, &refused) {
		t.Errorf("another schema that lost: %v", err)
	}
	b = &blind{Bucket: store, seen: map[string]bool{}}
	loser := checkLander(t, b, LanderOptions{FirstOffset: 9})
	if loser.Next() != 7 { // the entry was not seen yet, the start is the winner's
		t.Errorf("a lander that lost the start begins at %d", loser.Next())
	}
	appendAt(t, loser, 7, 1)
	appendAt(t, loser, 8, 1)
	if err := loser.Land(t.Context(), loser.Seal()); err != nil || loser.Landed() != 8 || loser.Next() != 9 {
		t.Errorf("landed %d, next %d, %v", loser.Landed(), loser.Next(), err)
	}
}

// TestHeldTwice: a record that comes again while it is held is held once.
func TestHeldTwice(t *testing.T) {
	b := blob.NewMemory()
	l := checkLander(t, b, LanderOptions{})
	for _, o := range []int64{0, 1, 1, 0, 2} {
		appendAt(t, l, o, 5)
	}
	if batch := l.Seal(); batch.Records() != 3 || batch.End() != 3 {
		t.Errorf("%d records up to %d", batch.Records(), batch.End())
	}
}

// TestCloseWhileLanding: the memory of a batch that is being put is not used
// again before the put is over.
func TestCloseWhileLanding(t *testing.T) {
	store := blob.NewMemory()
	budget := NewBudget(64 << 20)
	var l, other *Lander
	calls := 0
	b := &hooked{Bucket: store, before: func(string) {
		if calls++; calls == 1 {
			l.Close()
			for o := range int64(20_000) { // takes whatever blocks are spare
				appendAt(t, other, o, 1+o%100)
			}
		}
	}}
	l, other = checkLander(t, b, LanderOptions{Budget: budget}), checkLander(t, blob.NewMemory(), LanderOptions{Budget: budget})
	for o := range int64(10_000) {
		appendAt(t, l, o, 5)
	}
	if err := l.Land(t.Context(), l.Seal()); err != nil {
		t.Fatal(err)
	}
	sum, err := Check(t.Context(), store, "t", func(f Fault) { t.Errorf("%s", f) })
	if err != nil || sum.Records != 10_000 {
		t.Errorf("%+v, %v", sum, err)
	}
	other.Close()
	wantEmpty(t, budget)
}

func wantEmpty(t *testing.T, b *Budget) {
	t.Helper()
	if b.used.Load() != 0 || b.open.Load() != 0 || b.landers.Load() != 0 {
		t.Errorf("the budget's books: %d used, %d open, %d landers; want zeros", b.used.Load(), b.open.Load(), b.landers.Load())
	}
}

// TestBooks (invariant 6): after any order of appends, seals, landings, lost
// races and closes, the budget's books are even.
func TestBooks(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(9, seed))
		b := blob.NewMemory()
		budget := NewBudget(8 << 20)
		landers := []*Lander{checkLander(t, b, LanderOptions{Budget: budget}), checkLander(t, b, LanderOptions{Budget: budget})}
		sealed := make([]*Batch, 2)
		for range 400 {
			i := rng.IntN(2)
			l := landers[i]
			switch rng.IntN(12) {
			case 0:
				if batch := l.Seal(); batch != nil {
					sealed[i] = batch
				}
			case 1:
				if sealed[i] != nil {
					if err := l.Land(t.Context(), sealed[i]); err != nil {
						t.Fatal(err)
					}
					sealed[i] = nil
				}
			case 2:
				l.Advance(l.Next() + 1)
			default:
				o := l.Next()
				appendAt(t, l, o, o%7*hourMillis)
			}
		}
		for _, l := range landers {
			l.Close()
		}
		wantEmpty(t, budget)
		if _, err := Check(t.Context(), b, "t", func(f Fault) {
			if !f.Kind.Harmless() {
				t.Errorf("seed %d: %s", seed, f)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEnvelopeNames: the whole schema of a file stands, whatever its event's
// types are called.
func TestEnvelopeNames(t *testing.T) {
	for writer, names := range map[string]string{
		`{"type":"record","name":"E","fields":[]}`:           `TidemarkRaw TidemarkHeader`,
		`{"type":"record","name":"TidemarkRaw","fields":[]}`: `TidemarkRaw_ TidemarkHeader`,
		`{"type":"record","name":"TidemarkRaw","fields":[{"name":"a","type":{"type":"fixed","size":1,"name":"TidemarkRaw_"}}]}`:               `TidemarkRaw__ TidemarkHeader`,
		`{"type":"record","name":"E","fields":[{"name":"a","type":["null",{"type":"enum","symbols":["A"],"name":"TidemarkHeader"}]}]}`:        `TidemarkRaw TidemarkHeader_`,
		`{"type":"record","name":"E","namespace":"a.b","fields":[{"name":"a","type":{"type":"record","name":"TidemarkHeader","fields":[]}}]}`: `TidemarkRaw TidemarkHeader_`,
	} {
		text, err := rawSchema(writer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := schema.Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		for name := range strings.FieldsSeq(names) {
			if strings.Count(text, `"name":"`+name+`"`) != 1 {
				t.Errorf("%s: want one type named %s", text, name)
			}
		}
		if strings.Contains(text[:strings.Index(text, `"name":"value",`)], "namespace") || !bytes.Contains([]byte(text), []byte(writer)) {
			t.Errorf("%s: the envelope has a namespace, or the writer schema is not its text", text)
		}
	}
}

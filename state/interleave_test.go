package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Invariant 7, by enumeration: two owners of a task, one of them perhaps a
// zombie, checkpoint and collect at the same time. Their bucket calls are
// interleaved in every way with few switches between them, and at random with
// many; either may die at any call. After every single call: whatever
// checkpoint was confirmed to its owner and is still listed is whole.

// step is one checkpoint that an owner makes: its cut and the contents of its
// files. Contents come back, so that an owner shares, or puts again, what the
// other one is about to delete.
type step struct {
	next  int64
	files string // a letter is a file and its content; none: tidemark checkpoint prune
}

// plot is what two owners do.
type plot struct {
	name   string
	keep   int
	before []step // by the first owner, alone
	owners [][]step
}

var plots = []plot{
	{"zombie and successor", 1, []step{{10, "ab"}, {20, "ac"}}, [][]step{{{30, "ad"}, {40, "ae"}}, {{50, "ab"}, {60, "abc"}}}},
	{"the successor went back to an older checkpoint", 2, []step{{10, "ab"}, {20, "bc"}, {30, "cd"}},
		[][]step{{{40, "de"}, {50, "ef"}}, {{45, "ab"}, {55, "ac"}}}},
	{"both at the same cuts", 1, []step{{10, "ab"}}, [][]step{{{20, "ac"}, {30, "ad"}}, {{20, "bc"}, {30, "ad"}}}},
	{"the successor is behind", 2, []step{{10, "ab"}, {20, "ac"}}, [][]step{{{40, "cd"}, {60, "de"}}, {{30, "ab"}, {50, "ac"}}}},
	{"an operator prunes", 2, []step{{10, "ab"}, {20, "bc"}, {30, "cd"}}, [][]step{{{0, ""}, {0, ""}}, {{40, "de"}, {50, "ab"}, {60, "ac"}}}},
	{"one stands still", 1, []step{{10, "ab"}, {20, "ac"}}, [][]step{{{30, "ab"}}, {{40, "b"}, {50, "c"}, {60, "d"}}}},
}

// crowd is three owners, who forget nothing for each other: what one condemns,
// the second prunes, and the third is about to share.
var crowd = plot{"three owners", 1, []step{{10, "abc"}, {20, "ad"}},
	[][]step{{{30, "ae"}, {40, "af"}}, {{35, "ab"}, {0, ""}, {45, "bf"}, {55, "b"}}, {{50, "ab"}, {60, "bc"}}}}

// stage is one performance of a plot.
type stage struct {
	t        testing.TB
	p        *plot
	bucket   *blob.Memory
	fs       vfs.FS
	turn     []chan bool // true: go on, false: die
	waiting  []chan bool // true: at a call; false: at the end
	over     []bool
	promised map[string]bool // confirmed, by key
}

func newStage(t testing.TB, p *plot) *stage {
	st := &stage{t: t, p: p, bucket: blob.NewMemory(), fs: vfs.NewMem(), promised: map[string]bool{}}
	for _, s := range p.before {
		st.checkpoint(st.bucket, "before", s)
	}
	st.over = make([]bool, len(p.owners))
	for range p.owners {
		st.turn, st.waiting = append(st.turn, make(chan bool)), append(st.waiting, make(chan bool))
	}
	for i := range p.owners {
		go st.perform(i)
		<-st.waiting[i]
	}
	return st
}

var errDead = errors.New("the process was killed")

// perform is the life of one owner.
func (st *stage) perform(i int) {
	gate := &gated{Bucket: st.bucket, gone: st.whole, wait: func() error {
		st.waiting[i] <- true
		if !<-st.turn[i] {
			return errDead
		}
		return nil
	}}
	for _, s := range st.p.owners[i] {
		if !st.checkpoint(gate, fmt.Sprint("owner", i), s) {
			break
		}
	}
	st.over[i] = true
	st.waiting[i] <- false
}

// checkpoint makes one, as Store.Checkpoint does, and says whether the owner lives.
func (st *stage) checkpoint(b blob.Bucket, dir string, s step) bool {
	ctx := context.Background()
	cut := &Cut{Version: CutVersion, Pipeline: "p", Fingerprint: "f", Bound: NoBound,
		Sources: []Source{{Topic: "t", Partitions: 1, Next: s.next}}}
	if err := errors.Join(st.fs.RemoveAll(dir), st.fs.MkdirAll(dir, 0o755)); err != nil {
		st.t.Error(err)
	}
	for _, letter := range s.files {
		if err := writeFile(st.fs, st.fs.PathJoin(dir, string(letter)+".sst"), "content "+string(letter)); err != nil {
			st.t.Error(err)
		}
	}
	o := CheckpointOptions{Prefix: "c/0", Keep: st.p.keep, Parallel: 1, Now: func() time.Time { return time.UnixMilli(0) }}
	o.EnsureDefaults()
	a := archive{b: b, prefix: o.Prefix}
	if s.next == 0 {
		_, err := Prune(ctx, b, PruneOptions{Prefix: o.Prefix, Keep: 1, Now: o.Now})
		if err != nil && !errors.Is(err, errDead) && !errors.Is(err, errNothingWhole) { // others have pruned what it listed
			st.t.Errorf("prune: %v", err)
		}
		return !errors.Is(err, errDead)
	}
	m, err := a.existing(ctx, cut)
	if err == nil && m == nil {
		j := &job{archive: a, fs: st.fs, dir: dir, sums: fileSums{}, o: o, stats: new(CheckpointStats)}
		m, err = j.run(ctx, cut)
	}
	if err != nil {
		if !errors.Is(err, errDead) && !errors.Is(err, errContended) {
			st.t.Errorf("%s at %d: %v", dir, s.next, err)
		}
		return !errors.Is(err, errDead)
	}
	st.promised[a.manifestKey(manifestName(cut))] = true
	return true
}

// gated waits before each call, and doesn't make it when told to die. What
// may take something away is told to gone.
type gated struct {
	blob.Bucket
	wait func() error
	gone func()
}

func (g *gated) do(call func() error) error {
	if err := g.wait(); err != nil {
		return err
	}
	return call()
}

func (g *gated) Put(ctx context.Context, key string, p ...[]byte) error {
	defer g.gone()
	return g.do(func() error { return g.Bucket.Put(ctx, key, p...) })
}

func (g *gated) PutIfAbsent(ctx context.Context, key string, p ...[]byte) error {
	return g.do(func() error { return g.Bucket.PutIfAbsent(ctx, key, p...) })
}

func (g *gated) Get(ctx context.Context, key string) (data []byte, err error) {
	err = g.do(func() error { data, err = g.Bucket.Get(ctx, key); return err })
	return data, err
}

func (g *gated) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	return g.do(func() error { return g.Bucket.List(ctx, prefix, fn) })
}

func (g *gated) Delete(ctx context.Context, key string) error {
	defer g.gone()
	return g.do(func() error { return g.Bucket.Delete(ctx, key) })
}

// whole fails the test unless every promised checkpoint that is still listed
// has all its files.
func (st *stage) whole() {
	ctx := context.Background()
	for key := range st.promised {
		m, err := LoadManifest(ctx, st.bucket, key)
		if errors.Is(err, blob.ErrNotFound) {
			delete(st.promised, key) // pruned
			continue
		}
		if err != nil {
			st.t.Error(err)
			continue
		}
		for i := range m.Files {
			f := &m.Files[i]
			if data, err := st.bucket.Get(ctx, "c/0/files/"+f.Object()); err != nil || string(data) != "content "+f.Name[:1] {
				st.t.Errorf("checkpoint %s was confirmed, and its %s is gone: %v", key, f.Name, err)
			}
		}
	}
}

// play performs n calls of an owner, or all that it has left if n < 0, and
// returns how many there were.
func (st *stage) play(i, n int) (calls int) {
	for !st.over[i] && calls != n {
		st.turn[i] <- true
		<-st.waiting[i]
		calls++
	}
	return calls
}

func (st *stage) kill(i int) {
	if !st.over[i] {
		st.turn[i] <- false
		<-st.waiting[i]
	}
}

// end lets a third owner go on alone. What it confirms is whole, and in the
// end the bucket holds what is named and little else.
func (st *stage) end() {
	for n := range int64(4) {
		st.checkpoint(st.bucket, "after", step{next: 100 + n, files: "ab"})
		st.whole()
	}
	inv, err := archive{b: st.bucket, prefix: "c/0"}.survey(context.Background(), &Cut{Sources: []Source{{Next: 200}}, Fingerprint: "f"}, st.p.keep)
	if err != nil {
		st.t.Fatal(err)
	}
	if extra := len(inv.contents) - len(inv.named); extra > 0 || len(inv.names) != st.p.keep {
		st.t.Errorf("in the end %d checkpoints, and %d files without a name", len(inv.names), extra)
	}
}

func onStage(t *testing.T, p *plot, what string, play func(st *stage)) {
	st := newStage(t, p)
	play(st)
	for i := range st.over {
		st.play(i, -1)
	}
	st.end()
	if t.Failed() {
		t.Fatalf("%s: %s", p.name, what)
	}
}

// Every way with up to four switches: one owner makes i calls, the other j, the
// first k, the other all, the first the rest; or the other is killed where it
// stands. Of j it takes a fifth, and with TIDEMARK_N set each; of k a sample.
func TestTwoOwnersInterleaved(t *testing.T) {
	stride, stages := 5, 0
	if os.Getenv("TIDEMARK_N") != "" {
		stride = 1
	}
	for at := range plots {
		for turn := range 2 {
			for i, more := 0, true; more; i++ {
				n := 0
				n, more = interleaved(t, &plots[at], turn, i, stride)
				stages += n
			}
		}
	}
	t.Logf("%d interleavings", stages)
}

// interleaved plays all that begin with i calls of one owner; more says that
// it has so many.
func interleaved(t *testing.T, p *plot, turn, i, stride int) (stages int, more bool) {
	for j := 1 + i%stride; ; j += stride {
		past := false
		onStage(t, p, fmt.Sprintf("owner %d: %d calls, the other %d", turn, i, j), func(st *stage) {
			more = st.play(turn, i) == i
			past = st.play(1-turn, j) < j
			if k := (i*7 + j*3) % 23; k > 0 {
				st.play(turn, k)
				st.play(1-turn, -1)
			}
		})
		onStage(t, p, fmt.Sprintf("owner %d: %d calls, the other %d and no more", turn, i, j), func(st *stage) {
			st.play(turn, i)
			st.play(1-turn, j)
			st.kill(1 - turn)
		})
		stages += 2
		if past || !more {
			return stages, more
		}
	}
}

// Random interleavings, with more switches, and deaths.
func TestTwoOwnersAtRandom(t *testing.T) {
	n, seed := envNumber(t, "TIDEMARK_N", 300), envNumber(t, "TIDEMARK_SEED", 1)
	t.Logf("%d interleavings from seed %d", n, seed)
	for s := seed; s < seed+n; s++ {
		rng := rand.New(rand.NewPCG(uint64(s), 5))
		p := &plots[rng.IntN(len(plots))]
		if rng.IntN(3) == 0 {
			p = &crowd
		}
		onStage(t, p, fmt.Sprintf("TIDEMARK_SEED=%d", s), func(st *stage) {
			for slices.Contains(st.over, false) {
				i := rng.IntN(len(st.over))
				if rng.IntN(150) == 0 {
					st.kill(i)
				}
				st.play(i, 1+rng.IntN(1+rng.IntN(12)))
			}
		})
	}
}

func envNumber(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q: %v", name, text, err)
	}
	return n
}

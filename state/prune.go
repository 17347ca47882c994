package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// PruneOptions say what stays.
type PruneOptions struct {
	Prefix string           // as in CheckpointOptions
	Keep   int              // how many of the newest whole checkpoints stay, from 1
	Now    func() time.Time // for the note that is left for others. Required
	DryRun bool             // only look
}

// Pruned is what Prune has deleted, or would.
type Pruned struct {
	Kept      []string // keys of the whole ones that stay, newest first
	Damaged   []Damaged
	BytesRead int64    // of those that stay; each object once
	Manifests []string // keys of those that go, newest first
	Files     []string // keys of objects
	Bytes     int64    // of those
}

// Damaged is a checkpoint that can't be restored from.
type Damaged struct {
	Key  string
	What string // the first thing that is wrong
}

// Prune deletes the checkpoints of a task below the newest keep whole ones,
// and the files that no other names. It reads every byte of those that are to
// stay, each object once: one that is damaged isn't counted, and stays only if
// it is newer than the last that is. What it finds damaged it condemns, so that
// whoever makes the next checkpoint puts it anew. A process may checkpoint the task at the
// same time: what it is just uploading stays, and what goes is said in a note
// first, so that it puts again what it has taken for granted: collect.go. Keep
// is how far back a restore can go: of a rekeyed pipeline the stream purges
// the repartition topic up to the oldest checkpoint there is.
func Prune(ctx context.Context, b blob.Bucket, o PruneOptions) (*Pruned, error) {
	if o.Keep < 1 || o.Now == nil {
		return nil, fmt.Errorf("prune: keep %d checkpoints: at least 1, and a clock is needed", o.Keep)
	}
	p, err := archive{b: b, prefix: o.Prefix}.prune(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("prune %s: %w", o.Prefix, err)
	}
	return p, nil
}

var errNothingWhole = errors.New("no checkpoint is whole, so nothing is deleted; a process that still has the state makes a whole one at its next checkpoint: " +
	"tidemark checkpoint verify says what is wrong")

func (a archive) prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	a.doubts = newDoubts()
	found, err := a.examine(ctx, o.Keep)
	if err != nil || len(found.whole)+len(found.damaged) == 0 {
		return &Pruned{}, err
	}
	if len(found.whole) == 0 {
		return nil, a.nothingWhole(ctx, found, o)
	}
	before, err := a.surveyToPrune(ctx, found.whole[0], o.Keep)
	if err != nil {
		return nil, err
	}
	p := before.superfluous()
	p.Damaged, p.BytesRead = found.damaged, found.read
	if o.DryRun || len(p.Manifests)+len(p.Files)+len(before.fresh) == 0 {
		return p, nil
	}
	objects := slices.Clone(before.fresh)
	for _, key := range p.Files {
		objects = append(objects, key[len(a.filesPrefix()):])
	}
	key, err := a.noteOf(ctx, objects, o)
	if err != nil {
		return nil, err
	}
	now, err := a.surveyToPrune(ctx, found.whole[0], o.Keep)
	if err != nil {
		return nil, err
	}
	return a.deleteAll(ctx, p, before, now, key)
}

// nothingWhole tells a process that still has the state what is damaged, and
// says that nothing else was done.
func (a archive) nothingWhole(ctx context.Context, found *examined, o PruneOptions) error {
	inv, err := a.surveyAt(ctx, found.damaged[0].Key, o.Keep)
	if err == nil && len(inv.fresh) > 0 && !o.DryRun {
		_, err = a.noteOf(ctx, inv.fresh, o)
	}
	return join(fmt.Errorf("%s: %s: %w", found.damaged[0].Key, found.damaged[0].What, errNothingWhole), err)
}

// noteOf leaves a note that condemns objects.
func (a archive) noteOf(ctx context.Context, objects []string, o PruneOptions) (key string, err error) {
	slices.Sort(objects)
	return a.putNote(ctx, &note{Version: noteVersion, CreatedAt: o.Now().UnixMilli(), Condemned: slices.Compact(objects)})
}

// surveyToPrune is survey for what stays with the manifest under key at and is
// older; and what is there for nobody was so when the newest was made.
func (a archive) surveyToPrune(ctx context.Context, at string, keep int) (*inventory, error) {
	inv, err := a.surveyAt(ctx, at, keep)
	if err == nil && len(inv.manifests) > 0 {
		inv.suspects = inv.manifests[slices.Max(sortedKeys(inv.manifests))].Garbage
	}
	return inv, err
}

// superfluous is what goes: manifests below those that stay, and files that
// only those name, or nobody did when the newest was made and nobody does now.
// What has no name and is not in that list may be on its way.
func (inv *inventory) superfluous() *Pruned {
	p := &Pruned{}
	for _, n := range inv.names {
		if n.Key < inv.oldest {
			p.Manifests = append(p.Manifests, n.Key)
		} else if inv.whole[n.Key] {
			p.Kept = append(p.Kept, n.Key)
		}
	}
	for _, object := range sortedKeys(inv.contents) {
		orphan := inv.named[object] || inv.condemned[object] || slices.Contains(inv.suspects, object)
		if orphan && !inv.kept[object] && len(p.Files) < garbageMax {
			p.Files = append(p.Files, inv.files+object)
			p.Bytes += inv.contents[object]
		}
	}
	return p
}

// deleteAll deletes what p says and now still allows, and the note when all of
// it is gone.
func (a archive) deleteAll(ctx context.Context, p *Pruned, before, now *inventory, noteKey string) (*Pruned, error) {
	done := &Pruned{Kept: p.Kept, Damaged: p.Damaged, BytesRead: p.BytesRead}
	used := map[string]bool{}
	for _, n := range now.names {
		if slices.Contains(p.Manifests, n.Key) && now.spentFor(before, n.Key) {
			crashpoint.Hit("checkpoint/prune")
			if err := a.b.Delete(ctx, n.Key); err != nil {
				return nil, fmt.Errorf("delete a checkpoint: %w", err)
			}
			done.Manifests = append(done.Manifests, n.Key)
			continue
		}
		if m := now.manifests[n.Key]; m != nil {
			for i := range m.Files {
				used[a.fileKey(m.Files[i].Object())] = true
			}
		}
	}
	for _, key := range p.Files {
		if used[key] {
			continue
		}
		crashpoint.Hit("checkpoint/collect")
		if err := a.b.Delete(ctx, key); err != nil {
			return nil, fmt.Errorf("delete a checkpoint's file: %w", err)
		}
		done.Files = append(done.Files, key)
		done.Bytes += before.contents[key[len(a.filesPrefix()):]]
	}
	if len(done.Files) < len(p.Files) || len(before.fresh) > 0 {
		return done, nil // the next checkpoint sees to the rest, and to the note
	}
	if err := a.b.Delete(ctx, noteKey); err != nil {
		return nil, fmt.Errorf("delete the note: %w", err)
	}
	return done, nil
}

// spentFor is spent for a note, which condemns besides only what goes at once:
// a manifest that condemns what stays named must stay, too.
func (inv *inventory) spentFor(before *inventory, key string) bool {
	if !inv.spent(before, key) {
		return false
	}
	m := inv.manifests[key]
	return m == nil || !slices.ContainsFunc(m.Condemned, func(object string) bool { return before.kept[object] })
}

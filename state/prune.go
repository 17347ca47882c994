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
	Keep   int              // how many of the newest valid checkpoints stay, from 1
	Now    func() time.Time // for the note that is left for others. Required
	DryRun bool             // only look
}

// Pruned is what Prune has deleted, or would.
type Pruned struct {
	Kept      []string // keys of the manifests that stay, newest first
	Manifests []string // keys of those that go, newest first
	Files     []string // keys of objects
	Bytes     int64    // of those
}

// Prune deletes the checkpoints of a task below the newest keep valid ones,
// and the files that no other names. A process may checkpoint the task at the
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

var errNothingValid = errors.New("no checkpoint is valid, so nothing is deleted: tidemark checkpoint verify says what is wrong")

func (a archive) prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	before, err := a.surveyAt(ctx, "", o.Keep)
	if err != nil || len(before.names) == 0 {
		return &Pruned{}, err
	}
	if len(before.manifests) == 0 {
		return nil, errNothingValid
	}
	p := before.superfluous()
	if o.DryRun || len(p.Manifests)+len(p.Files) == 0 {
		return p, nil
	}
	objects := make([]string, len(p.Files))
	for i, key := range p.Files {
		objects[i] = key[len(a.filesPrefix()):]
	}
	key, err := a.putNote(ctx, &note{Version: noteVersion, CreatedAt: o.Now().UnixMilli(), Condemned: objects})
	if err != nil {
		return nil, err
	}
	now, err := a.surveyAt(ctx, "", o.Keep)
	if err != nil {
		return nil, err
	}
	return a.deleteAll(ctx, p, before, now, key)
}

// superfluous is what goes: manifests below those that stay, and files that
// only those name, or nobody did when the newest was made and nobody does now.
// What has no name and is not in that list may be on its way.
func (inv *inventory) superfluous() *Pruned {
	p := &Pruned{}
	for _, n := range inv.names {
		if n.Key < inv.oldest {
			p.Manifests = append(p.Manifests, n.Key)
		} else {
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
	done := &Pruned{Kept: p.Kept}
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
	if len(done.Files) < len(p.Files) {
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

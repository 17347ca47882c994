package state

import (
	"context"
	"errors"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// examined is what was found in the newest checkpoints of a task.
type examined struct {
	whole   []string // keys of manifests, newest first
	damaged []Damaged
	read    int64 // bytes
}

// examine reads checkpoints, newest first, until so many are found whole. What
// is damaged it doubts. Each object is read once, whoever names it.
func (a archive) examine(ctx context.Context, keep int) (*examined, error) {
	names, _, err := a.listed(ctx)
	if err != nil {
		return nil, err
	}
	found := &examined{}
	known := map[string]bool{} // objects that were read
	for _, n := range names {
		if len(found.whole) == keep {
			break
		}
		m, err := LoadManifest(ctx, a.b, n.Key)
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			a.doubts.add(n.Key)
			found.damaged = append(found.damaged, Damaged{n.Key, corrupt.What})
		case errors.Is(err, blob.ErrNotFound): // pruned since it was listed
		case err != nil:
			return nil, err
		default:
			if err := a.examineOne(ctx, n.Key, m, known, found); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func (a archive) examineOne(ctx context.Context, key string, m *Manifest, known map[string]bool, found *examined) error {
	what := ""
	unread := *m
	unread.Files = nil
	for i := range m.Files {
		f := &m.Files[i]
		switch {
		case !known[f.Object()]:
			unread.Files = append(unread.Files, *f)
			known[f.Object()] = true
		case a.doubts.has(a.fileKey(f.Object())) && what == "":
			what = f.Name + " is damaged, as in a newer one: " + a.fileKey(f.Object())
		}
	}
	_, err := checkFiles(ctx, a, &unread, func(f Fault) {
		if what == "" {
			what = f.What + ": " + f.Where
		}
	})
	if err != nil {
		return err
	}
	found.read += unread.SizeBytes()
	if what != "" {
		found.damaged = append(found.damaged, Damaged{key, what})
		return nil
	}
	found.whole = append(found.whole, key)
	return nil
}

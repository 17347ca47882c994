package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// archive is the bucket's side of one task's checkpoints: every bucket call of
// the package is in this file, and restore.go's reads.
type archive struct {
	b      blob.Bucket
	prefix string
}

func (a archive) manifestKey(name string) string { return a.prefix + "/" + name }
func (a archive) filesPrefix() string            { return a.prefix + "/files/" }
func (a archive) fileKey(sha256 string) string   { return a.filesPrefix() + sha256 }

// Manifests lists the checkpoints under prefix, newest cut first. Only keys
// are read: LoadManifest tells whether one is valid.
func Manifests(ctx context.Context, b blob.Bucket, prefix string) ([]ManifestName, error) {
	var names []ManifestName
	err := b.List(ctx, prefix+"/0", func(o blob.Object) error {
		if n, ok := parseManifestName(strings.TrimPrefix(o.Key, prefix+"/")); ok {
			n.Key = o.Key
			names = append(names, n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list checkpoints in %s: %w", prefix, err)
	}
	slices.Reverse(names)
	return names, nil
}

// LoadManifest reads the manifest under key, which Manifests returned. Errors:
// *CorruptError (try the next one), ErrNewerVersion, blob.ErrNotFound (it has
// been pruned meanwhile), or what the bucket said.
func LoadManifest(ctx context.Context, b blob.Bucket, key string) (*Manifest, error) {
	data, err := b.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	m, err := decodeManifest(data)
	if errors.Is(err, ErrNewerVersion) {
		return nil, fmt.Errorf("read checkpoint %s: %w", key, err)
	}
	if err != nil {
		return nil, &CorruptError{Path: key, What: "checkpoint manifest", Err: err}
	}
	if name := manifestName(&m.Cut); !strings.HasSuffix(key, "/"+name) {
		return nil, &CorruptError{Path: key, What: "the manifest is of another cut: " + name}
	}
	return m, nil
}

// contents lists the stored files: content hash to size.
func (a archive) contents(ctx context.Context) (map[string]int64, error) {
	found := make(map[string]int64)
	err := a.b.List(ctx, a.filesPrefix(), func(o blob.Object) error {
		if sha := strings.TrimPrefix(o.Key, a.filesPrefix()); isHex(sha, 32) {
			found[sha] = o.Size
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list checkpoint files in %s: %w", a.prefix, err)
	}
	return found, nil
}

// complete reports whether every file that m names is among the contents.
func complete(m *Manifest, contents map[string]int64) bool {
	for i := range m.Files {
		if !stored(m.Files[i], contents) {
			return false
		}
	}
	return true
}

func stored(f File, contents map[string]int64) bool {
	size, ok := contents[f.SHA256]
	return f.Size == 0 || ok && size == f.Size
}

// load reads the manifests of names, except those that are known already. A
// corrupt one is passed over: nothing can be restored from it. One of a newer
// release is an error, since nobody here knows what it names.
func (a archive) load(ctx context.Context, names []ManifestName, known map[string]*Manifest) (map[string]*Manifest, error) {
	found := make(map[string]*Manifest, len(names))
	for _, name := range names {
		if m := known[name.Key]; m != nil {
			found[name.Key] = m
			continue
		}
		m, err := LoadManifest(ctx, a.b, name.Key)
		var corrupt *CorruptError
		switch {
		case err == nil:
			found[name.Key] = m
		case errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound):
		default:
			return nil, err
		}
	}
	return found, nil
}

// publish puts the manifest, last of all that it names. Whoever finds an equal
// cut there has nothing to do: the same cut is the same state, and the other's
// files are as good. It returns the manifest that is in force.
func (a archive) publish(ctx context.Context, m *Manifest) (_ *Manifest, mine bool, err error) {
	data, err := m.encode()
	if err != nil {
		return nil, false, fmt.Errorf("checkpoint manifest: %w", err)
	}
	key := a.manifestKey(manifestName(&m.Cut))
	err = a.b.PutIfAbsent(ctx, key, data)
	if err == nil {
		return m, true, nil
	}
	if !errors.Is(err, blob.ErrExists) {
		return nil, false, fmt.Errorf("put checkpoint manifest: %w", err)
	}
	other, err := a.existing(ctx, &m.Cut)
	if err != nil {
		return nil, false, err
	}
	if other != nil {
		return other, false, nil
	}
	// What is there can't be restored from, so it is repaired. Two who repair
	// at once put manifests of the same state, and either's files are there.
	if err := a.b.Put(ctx, key, data); err != nil {
		return nil, false, fmt.Errorf("repair checkpoint manifest: %w", err)
	}
	return m, true, nil
}

// existing returns the checkpoint of this cut if there is one and it can be
// restored from, else nil. One of the same cut with other state is an error:
// the law that recovery rests on is broken.
func (a archive) existing(ctx context.Context, cut *Cut) (*Manifest, error) {
	m, err := LoadManifest(ctx, a.b, a.manifestKey(manifestName(cut)))
	var corrupt *CorruptError
	if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := SameState(&m.Cut, cut); err != nil {
		return nil, fmt.Errorf("checkpoint %s was made of other state than this: %w", a.manifestKey(manifestName(cut)), err)
	}
	contents, err := a.contents(ctx)
	if err != nil || !complete(m, contents) {
		return nil, err
	}
	return m, nil
}

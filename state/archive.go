package state

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// archive is the bucket's side of one task's checkpoints: what is in it, and
// how a manifest gets there.
type archive struct {
	b      blob.Bucket
	prefix string
	doubts *doubts // what this process has found damaged; nil: it doesn't say
}

func (a archive) manifestKey(name string) string { return a.prefix + "/" + name }
func (a archive) filesPrefix() string            { return a.prefix + "/files/" }
func (a archive) fileKey(object string) string   { return a.filesPrefix() + object }

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
	if task, err := strconv.Atoi(path.Base(path.Dir(key))); err == nil && int32(task) != m.Cut.Task {
		return nil, &CorruptError{Path: key, What: fmt.Sprintf("the manifest is of task %d", m.Cut.Task)}
	}
	return m, nil
}

// contents lists the stored files: object to size.
func (a archive) contents(ctx context.Context) (map[string]int64, error) {
	found := make(map[string]int64)
	err := a.b.List(ctx, a.filesPrefix(), func(o blob.Object) error {
		if object := strings.TrimPrefix(o.Key, a.filesPrefix()); validObject(object) {
			found[object] = o.Size
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list checkpoint files in %s: %w", a.prefix, err)
	}
	return found, nil
}

func stored(f *File, contents map[string]int64) bool {
	size, ok := contents[f.Object()]
	return f.Size == 0 || ok && size == f.Size
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
	crashpoint.Hit("checkpoint/uploaded")
	err = a.b.PutIfAbsent(ctx, key, data)
	if err == nil {
		crashpoint.Hit("checkpoint/manifest")
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
	return m, true, a.replace(ctx, m)
}

// replace puts the manifest over the one of its cut.
func (a archive) replace(ctx context.Context, m *Manifest) error {
	data, err := m.encode()
	if err != nil {
		return fmt.Errorf("checkpoint manifest: %w", err)
	}
	if err := a.b.Put(ctx, a.manifestKey(manifestName(&m.Cut)), data); err != nil {
		return fmt.Errorf("repair checkpoint manifest: %w", err)
	}
	a.doubts.clear(a.manifestKey(manifestName(&m.Cut)))
	return nil
}

// existing returns the checkpoint of this cut if there is one, everything that
// it names is there, nobody may delete that, and this process has found no
// damage in it; else nil. One of the same cut
// with other state is an error: the law that recovery rests on is broken.
func (a archive) existing(ctx context.Context, cut *Cut) (*Manifest, error) {
	key := a.manifestKey(manifestName(cut))
	m, err := LoadManifest(ctx, a.b, key)
	var corrupt *CorruptError
	if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if a.doubts.has(key) {
		return nil, nil
	}
	if err := SameState(&m.Cut, cut); err != nil {
		return nil, fmt.Errorf("checkpoint %s was made of other state than this: %w", key, err)
	}
	now, err := a.survey(ctx, cut, 1)
	if err != nil || len(now.endangered(m.Files)) > 0 {
		return nil, err
	}
	return m, nil
}

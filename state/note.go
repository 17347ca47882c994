package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// A note condemns objects without a checkpoint: Prune leaves it for whoever is
// just making one. The next checkpoint repeats its list and deletes it.

const (
	noteVersion = 1
	noteStart   = "0-prune-" // "0", to be listed with the manifests
	noteEnd     = ".json"
)

type note struct {
	Version   int      `json:"version"`
	CreatedAt int64    `json:"created_at"` // ms since the epoch, UTC
	Condemned []string `json:"condemned"`
}

// noteEnvelope is what an object holds.
type noteEnvelope struct {
	CRC32C string          `json:"crc32c"`
	Note   json.RawMessage `json:"note"`
}

func isNote(name string) bool {
	id, ok := strings.CutPrefix(name, noteStart)
	if !ok {
		return false
	}
	id, ok = strings.CutSuffix(id, noteEnd)
	return ok && isHex(id, uploadBytes)
}

// putNote puts a note under a name of its own and returns its key.
func (a archive) putNote(ctx context.Context, n *note) (key string, err error) {
	id, err := newUpload()
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(n)
	if err != nil {
		return "", fmt.Errorf("encode a note: %w", err)
	}
	data, err := json.Marshal(noteEnvelope{CRC32C: fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)), Note: body})
	if err != nil {
		return "", fmt.Errorf("encode a note: %w", err)
	}
	key = a.prefix + "/" + noteStart + id + noteEnd
	if err := a.b.PutIfAbsent(ctx, key, append(data, '\n')); err != nil {
		return "", fmt.Errorf("put a note: %w", err)
	}
	return key, nil
}

// loadNote reads one; nil if it is gone, or its bytes are wrong. Of what a
// wrong one has condemned nobody knows, but that it was not named.
func (a archive) loadNote(ctx context.Context, key string) (*note, error) {
	data, err := a.b.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a note: %w", err)
	}
	var e noteEnvelope
	n := new(note)
	if json.Unmarshal(data, &e) != nil || fmt.Sprintf("%08x", crc32.Checksum(e.Note, castagnoli)) != e.CRC32C || json.Unmarshal(e.Note, n) != nil {
		return nil, nil
	}
	if n.Version > noteVersion {
		return nil, fmt.Errorf("read %s: version %d, this release reads %d: %w", key, n.Version, noteVersion, ErrNewerVersion)
	}
	if slices.ContainsFunc(n.Condemned, func(s string) bool { return !validObject(s) }) {
		return nil, nil
	}
	return n, nil
}

// listed lists manifests, newest first, and notes.
func (a archive) listed(ctx context.Context) (names []ManifestName, notes []string, err error) {
	err = a.b.List(ctx, a.prefix+"/0", func(o blob.Object) error {
		name := strings.TrimPrefix(o.Key, a.prefix+"/")
		if isNote(name) {
			notes = append(notes, o.Key)
		}
		if n, ok := parseManifestName(name); ok {
			n.Key = o.Key
			names = append(names, n)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list checkpoints in %s: %w", a.prefix, err)
	}
	slices.Reverse(names)
	return names, notes, nil
}

// tidy deletes the notes whose lists m repeats.
func (j *job) tidy(ctx context.Context, m *Manifest, before *inventory) error {
	for key, n := range before.notes {
		if slices.ContainsFunc(n.Condemned, func(object string) bool {
			return before.condemned[object] && !slices.Contains(m.Condemned, object)
		}) {
			continue
		}
		if err := j.b.Delete(ctx, key); err != nil {
			return fmt.Errorf("delete a note: %w", err)
		}
	}
	return nil
}

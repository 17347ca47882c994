package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Tasks lists the numbers of the tasks that have checkpoints under
// checkpoints/<pipeline>, rising.
func Tasks(ctx context.Context, b blob.Bucket, pipelinePrefix string) ([]int32, error) {
	found := map[int32]bool{}
	err := b.List(ctx, pipelinePrefix+"/", func(o blob.Object) error {
		name, rest, _ := strings.Cut(strings.TrimPrefix(o.Key, pipelinePrefix+"/"), "/")
		task, err := strconv.ParseInt(name, 10, 32)
		if _, is := parseManifestName(rest); is && err == nil && task >= 0 {
			found[int32(task)] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list tasks in %s: %w", pipelinePrefix, err)
	}
	return sortedKeys(found), nil
}

// SharedBytes is how much of the checkpoint is the same objects as in another.
func (m *Manifest) SharedBytes(other *Manifest) int64 {
	there := map[string]bool{}
	for i := range other.Files {
		there[other.Files[i].Object()] = true
	}
	var n int64
	for i := range m.Files {
		if there[m.Files[i].Object()] {
			n += m.Files[i].Size
		}
	}
	return n
}

// VerifyManifest reads the checkpoint under key and everything that it names,
// and calls fn for every fault. CheckManifest opens it as a database besides.
func VerifyManifest(ctx context.Context, b blob.Bucket, prefix, key string, fn func(Fault)) (*Manifest, error) {
	m, err := loadToCheck(ctx, b, key, fn)
	if err != nil || m == nil {
		return nil, err
	}
	_, err = checkFiles(ctx, archive{b: b, prefix: prefix}, m, fn)
	return m, err
}

// loadToCheck reads a manifest; nil if it is one of the faults that it reports.
func loadToCheck(ctx context.Context, b blob.Bucket, key string, fn func(Fault)) (*Manifest, error) {
	m, err := LoadManifest(ctx, b, key)
	var corrupt *CorruptError
	switch {
	case errors.As(err, &corrupt):
		fn(Fault{Kind: FaultManifest, Where: key, What: err.Error()})
		return nil, nil
	case errors.Is(err, ErrNewerVersion):
		fn(Fault{Kind: FaultVersion, Where: key, What: err.Error()})
		return nil, nil
	}
	return m, err
}

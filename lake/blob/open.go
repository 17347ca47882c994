package blob

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// Open opens the bucket that rawURL names:
//
//	file://./lake      a directory relative to baseDir (also file://../lake)
//	file:///srv/lake   an absolute directory
//	mem://name         a new, empty bucket in memory
//
// Directories are created. Percent escapes in the path are decoded. Buckets of clouds are opened by the package cloud below,
// so that only programs that want their clients link them.
func Open(ctx context.Context, rawURL string, baseDir string) (Bucket, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", rawURL, err)
	}
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, fmt.Errorf("open bucket %q: no URL; a local directory is file://./lake or file:///srv/lake", rawURL)
	}
	switch scheme {
	case "file":
		path, err := localPath(rest, baseDir)
		if err != nil {
			return nil, fmt.Errorf("open bucket %q: %w", rawURL, err)
		}
		return OpenDir(path)
	case "mem":
		return NewMemory(), nil
	case "s3", "gs", "azblob":
		return nil, fmt.Errorf("open bucket %s://...: this program has no client for it; open it with the package lake/blob/cloud", scheme)
	}
	return nil, fmt.Errorf("open bucket %q: unknown scheme %q; file:// (a local directory) and mem:// are known", rawURL, scheme)
}

// localPath turns what follows file:// into a path of this machine. A first
// segment that is neither "" nor a dot name would be a host by the URL's
// rules, and a directory by the user's wish: refused, with both spellings.
func localPath(rest, baseDir string) (string, error) {
	path, err := url.PathUnescape(rest)
	if err != nil {
		return "", fmt.Errorf("decode the path: %w (a percent sign is written %%25)", err)
	}
	if strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("the path has a zero byte")
	}
	switch {
	case strings.HasPrefix(path, "/"):
		return filepath.FromSlash(path), nil
	case path == "." || path == ".." || strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../"):
		return filepath.Join(baseDir, filepath.FromSlash(path)), nil
	}
	return "", fmt.Errorf("write file://./%s for a directory beside the file, or file:///... for an absolute one", path)
}

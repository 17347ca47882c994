package testcache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// base is the cache, made if it isn't there.
func base() (string, error) {
	dir := os.Getenv("TIDEMARK_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache directory (set TIDEMARK_TEST_CACHE): %w", err)
		}
		dir = filepath.Join(user, "tidemark")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	return filepath.Abs(dir)
}

// Fill gives the absolute path of a directory of the cache. If it isn't there, fill makes its content in a directory that
// is given to it. The name should tell of all that decides the content: see Digest.
func Fill(name string, fill func(dir string) error) (path string, err error) {
	cache, err := base()
	if err != nil {
		return "", err
	}
	path = filepath.Join(cache, name)
	if there(path) {
		return path, nil
	}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", path, err)
	}
	defer unlock()
	if there(path) { // another process was quicker
		return path, nil
	}
	work, err := os.MkdirTemp(cache, "filling-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := fill(work); err != nil {
		return "", err
	}
	if err := os.Rename(work, path); err != nil {
		return "", fmt.Errorf("move %s into the cache: %w", name, err)
	}
	return path, nil
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

//go:build !unix

package testcache

import "errors"

func lock(string) (func(), error) {
	return nil, errors.New("the cache of test artefacts can be filled on Unix only")
}

//go:build unix

package broker

import (
	"os"
	"sync"
	"syscall"
)

// lock takes the file's lock, or fails at once. The lock ends with the process at the latest.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, closing(f, err)
	}
	return sync.OnceValue(f.Close), nil
}

func closing(f *os.File, err error) error {
	if closed := f.Close(); closed != nil {
		return closed
	}
	return err
}

//go:build !linux

package realkafka

import "syscall"

// bound does nothing here: a test binary that is killed leaves its broker behind.
func bound() *syscall.SysProcAttr { return nil }

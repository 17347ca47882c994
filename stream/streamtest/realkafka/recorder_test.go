package realkafka_test

import (
	"fmt"
	"runtime"
	"testing"
)

// recorder is a test that keeps the message with which it is ended.
type recorder struct {
	testing.TB
	message string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

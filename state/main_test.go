package state_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also runs the child processes of kill_test.go and open_test.go: the
// test binary starts itself with childEnv set.
func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		os.Exit(runChild(child))
	}
	goleak.VerifyTestMain(m)
}

package rough_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(trial.Tests(m)) }

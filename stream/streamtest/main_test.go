package streamtest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realkafka.Tests(m)) }

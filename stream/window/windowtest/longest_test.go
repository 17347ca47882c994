package windowtest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/windowtest"
)

// TestLongest is all that a user writes to know that the aggregate keeps the laws.
func TestLongest(t *testing.T) {
	windowtest.Aggregate(t, longest{}, func(r *rand.Rand) schema.Value {
		words := []string{"", "a", "b", "ab", "ba", "é", "ée", "über"}
		return schema.StringValue([]byte(words[r.IntN(len(words))]))
	})
}

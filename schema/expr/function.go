package expr

import "github.com/tidemark-io/tidemark/schema"

// Function is a function of the user's, written in Go, that expressions call by
// its name in [Env.Functions]. It must be deterministic: its result a function
// of the arguments alone, today and in a year (L1). It is called from several
// goroutines at once.
type Function struct {
	Args   []schema.Type // of each argument; a Nullable one may be given null
	Result schema.Type   // of the result; may be Nullable
	// Call computes the result. The Bytes of args are valid only during the
	// call and must not be written to; the result may alias them. An error is a
	// failure of the expression on that event.
	Call func(args []schema.Value) (schema.Value, error)
}

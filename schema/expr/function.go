package expr

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
)

// MaxArguments bounds the arguments of a [Function].
const MaxArguments = 16

// Function is a function of the user's, written in Go, that expressions call by
// its name in [Env.Functions]. It must be deterministic: its result a function
// of the arguments alone, today and in a year (L1). It is called from several
// goroutines at once.
type Function struct {
	// Args are the types of the arguments. A timestamp is given in the unit of
	// its type, rounded down. Null is given only to a Nullable one.
	Args []schema.Type
	// Result is the type of the result, which may be null if it is Nullable.
	Result schema.Type
	// Call computes the result. The Bytes of args, and args itself, are valid
	// only during the call and must not be written to; the result may alias
	// them. An error is a failure of the expression on that event, as is a
	// panic, a result of another kind, or a string that is no UTF-8.
	Call func(args []schema.Value) (schema.Value, error)
}

var identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// words can't name a function: they are words, types and macros of CEL.
var words = []string{"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if",
	"import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
	"bool", "bytes", "double", "duration", "dyn", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint",
	"has", "all", "exists", "exists_one", "filter", "size"}

// CheckFunctions reports what is wrong with functions: a name that CEL does not
// take or that is taken, a type that is no value of an expression, no Call.
func CheckFunctions(all map[string]Function) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		switch {
		case !identifier.MatchString(name):
			return fmt.Errorf("function %q: a name is letters, digits and underscores, and no digit first", name)
		case slices.Contains(words, name) || slices.Contains(functions, name):
			return fmt.Errorf("function %q: the name is taken by the expression language, choose another", name)
		case f.Call == nil:
			return fmt.Errorf("function %q: Call is nil", name)
		case len(f.Args) > MaxArguments:
			return fmt.Errorf("function %q: %d arguments, at most %d are allowed", name, len(f.Args), MaxArguments)
		}
		for i, t := range f.Args {
			if celType(t) == nil || t.Kind == schema.KindNull {
				return fmt.Errorf("function %q: argument %d is %s, which expressions cannot use", name, i+1, t)
			}
		}
		if celType(f.Result) == nil || f.Result.Kind == schema.KindNull {
			return fmt.Errorf("function %q: the result is %s, which expressions cannot use", name, f.Result)
		}
	}
	return nil
}

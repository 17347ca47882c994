package pipeline

import (
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// didYouMean is the hint for a name that isn't known.
func didYouMean(name string, names []string) string {
	if s := schema.Suggest(name, names); s != "" {
		return "did you mean " + s + "?"
	}
	return "known: " + listSome(names)
}

// listSome lists the first names of many.
func listSome(names []string) string {
	const some = 12
	if len(names) > some {
		return strings.Join(names[:some], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// a is a type with its article.
func a(t schema.Type) string {
	if s := t.String(); s != "" && strings.ContainsRune("aeiou", rune(s[0])) {
		return "an " + s
	}
	return "a " + t.String()
}

// knownName checks that a name is one of those known; what says what they are.
func knownName(name string, known []string, what string) *complaint {
	if slices.Contains(known, name) {
		return nil
	}
	hint := "known: " + strings.Join(known, ", ")
	if len(known) == 0 {
		hint = "define one, or leave it out"
	}
	if s := schema.Suggest(name, known); s != "" {
		hint = "did you mean " + s + "?"
	}
	return complain(hint, "there is no %s %q", what, name)
}

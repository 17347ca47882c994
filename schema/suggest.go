package schema

import (
	"slices"
	"strings"
)

// Suggest gives the candidate that name was probably meant to be, or "" if none
// is close. Case is ignored; of equally close candidates the first wins.
//
// Close is the optimal string alignment distance (Damerau-Levenshtein with
// adjacent transpositions): at most a third of the longer name, at least one.
func Suggest(name string, candidates []string) string {
	const lengthMax = 128 // quadratic below, and nobody misspells more
	if name == "" || len(name) > lengthMax {
		return ""
	}
	best, bestDistance := "", 0
	for _, c := range candidates {
		if c == "" || len(c) > lengthMax {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(c))
		if d < len(name) && d <= max(1, max(len(name), len(c))/3) && (best == "" || d < bestDistance) {
			best, bestDistance = c, d
		}
	}
	return best
}

func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = slices.Min([]int{last[j+1] + 1, row[j] + 1, last[j] + cost})
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

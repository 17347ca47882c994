package pipeline

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oneOf checks a word that must be there. A file's have defaults; a Pipeline made in Go gets them by EnsureDefaults.
func oneOf(fs *faultSet, path, value string, words ...string) {
	fs.required(path, value == "", "write "+strings.Join(words, " or "))
	if !slices.Contains(words, value) {
		fs.add(path, notOneOf(value, words))
	}
}

// noRepeats checks that no element stands twice in a list. Empty ones have faults of their own.
func noRepeats(fs *faultSet, path string, list []string) {
	for i, v := range list {
		if v != "" && slices.Index(list, v) < i {
			fs.add(element(path, i), complain("name it once", "%q is named twice", v))
		}
	}
}

func between(fs *faultSet, path string, d, min, max time.Duration) {
	if d < min || d > max {
		fs.add(path, complain("write "+formatDuration(min)+" to "+formatDuration(max), "%s is out of range", formatDuration(d)))
	} else if d%time.Millisecond != 0 {
		fs.add(path, complain("milliseconds are the finest", "%s is no whole number of milliseconds", formatDuration(d)))
	}
}

func bytesBetween(fs *faultSet, path string, n, min, max int64) {
	if n < min || n > max {
		fs.add(path, complain("write "+formatSize(min)+" to "+formatSize(max), "%s is out of range", formatSize(n)))
	}
}

// formatDuration writes a duration as parseDuration reads it.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, u := range durationUnits {
		if n := d / u.unit; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.unit
		}
	}
	if d > 0 {
		b.WriteString(d.String())
	}
	return b.String()
}

// formatSize writes a size as parseSize reads it, in the largest unit that is exact.
func formatSize(n int64) string {
	for _, name := range []string{"GiB", "MiB", "KiB"} {
		if u := sizeUnits[name]; n != 0 && n%u == 0 {
			return strconv.FormatInt(n/u, 10) + name
		}
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

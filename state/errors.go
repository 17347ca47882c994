package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// ErrLocked says that another process (or another Store of this one) has the
// state directory open. Nothing is wrong with the bytes: stop the other
// process, or give this one a state directory of its own.
var ErrLocked = errors.New("state directory is in use")

// ErrNewerVersion says that the bytes were written by a newer release than
// this one. They are not corrupt and must not be set aside for that: run the
// newer release.
var ErrNewerVersion = errors.New("written by a newer release")

// ErrNotEmpty says that a directory in which state was to be restored holds
// something already. Restore never overwrites: SetAside first.
var ErrNotEmpty = errors.New("directory is not empty")

// CorruptError says that bytes are wrong: a file that is missing or altered, a
// key that cannot be read, a cut that does not balance. What the caller must
// do is always the same: set the directory aside (SetAside), restore from the
// newest valid checkpoint (Manifests, Restore), count it.
type CorruptError struct {
	Path string // directory, file or object key where it was found
	What string // what is wrong, in words for an operator
	Err  error  // the underlying error, or nil

	// Of a checkpoint's file: the key of the manifest that names it, and the
	// name that it has in the store.
	Manifest, File string
}

// Error says what is wrong and where.
func (e *CorruptError) Error() string {
	text := fmt.Sprintf("corrupt state in %s: %s", e.Path, e.What)
	if e.Manifest != "" {
		text += " (named by " + e.Manifest + ")"
	}
	if e.Err != nil {
		text += ": " + plain(e.Err)
	}
	return text
}

// Unwrap returns the underlying error.
func (e *CorruptError) Unwrap() error { return e.Err }

// join is errors.Join on one line: an operator reads it in a log or a table.
func join(errs ...error) error {
	kept := make(joined, 0, len(errs))
	for _, err := range errs {
		if err != nil {
			kept = append(kept, err)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return kept
}

// carrier is how Pebble calls, within an error's text, what it has attached to
// it for programs.
const carrier = "<corruption detail carrier>"

// plain is an error's text for people, on one line.
func plain(err error) string {
	lines := strings.Split(err.Error(), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.TrimSpace(line) == carrier || line == "" })
	return strings.ReplaceAll(strings.Join(lines, "; "), carrier, "corrupt")
}

type joined []error

func (j joined) Error() string {
	texts := make([]string, len(j))
	for i, err := range j {
		texts[i] = plain(err)
	}
	return strings.Join(texts, "; ")
}

func (j joined) Unwrap() []error { return j }

// wrap tells Pebble's corruption errors from all others.
func wrap(path, what string, err error) error {
	if err == nil {
		return nil
	}
	var known *CorruptError
	if errors.As(err, &known) {
		return err
	}
	if pebble.IsCorruptionError(err) {
		return &CorruptError{Path: path, What: what, Err: err}
	}
	return fmt.Errorf("state %s: %s: %w", path, what, err)
}

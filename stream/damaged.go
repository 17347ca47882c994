package stream

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/state"
)

// damagedMax is how many damaged checkpoints an error names; it counts all.
const damagedMax = 3

// damaged remembers a checkpoint that can't be restored from: it is passed over from now on, and whoever must stop for want of
// another says so.
func (r *runner) damaged(id int32, key string, err error) {
	r.suspectAt(key)
	r.notWhole(id, key, err)
}

// notWhole remembers what is wrong with a checkpoint, and where.
func (r *runner) notWhole(id int32, key string, err error) {
	what := err.Error()
	var corrupt *state.CorruptError
	if errors.As(err, &corrupt) {
		what = corrupt.What
		if corrupt.Path != key {
			what += ", " + corrupt.Path
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.damage[id] == nil {
		r.damage[id] = map[string]string{}
	}
	r.damage[id][key] = what
}

// wanting adds to a stop what is known of the checkpoints that could have prevented it.
func (r *runner) wanting(id int32, stop *StopError) *StopError {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.damage[id]
	if len(found) == 0 {
		return stop
	}
	keys := slices.Sorted(maps.Keys(found))
	slices.Reverse(keys) // the newest first
	var texts []string
	for _, key := range keys[:min(len(keys), damagedMax)] {
		texts = append(texts, fmt.Sprintf("%s (%s)", key, found[key]))
	}
	if more := len(keys) - damagedMax; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	stop.What += fmt.Sprintf("; damaged checkpoints of the task: %d, none is whole: %s", len(keys), strings.Join(texts, ", "))
	stop.Fix = "restore these objects from a copy of the bucket (an older version, a replica) and start again; or " +
		"`tidemark change -f FILE --restart --reason TEXT`: all tasks begin anew where they stand, and the reconciler recomputes what was open"
	return stop
}

package stream

import (
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// refused says why a record can't be taken. What an unknown schema id holds is not known to be wrong, so the task stops
// before it (law L3). Nothing of the record counts yet.
func (t *task) refused(in *input, r *kafka.Record, err error) error {
	var unknown *schema.UnknownSchemaError
	var key *flow.KeyError
	var letter *flow.LetterError
	switch {
	case errors.As(err, &unknown):
		return &StopError{Where: place(r), What: fmt.Sprintf("schema id %d is not among source.schema.ids", unknown.ID),
			Fix: "add the id (and its schema) to the pipeline file and start again; nothing of the partition was skipped", Err: err}
	case errors.As(err, &key) && key.Want < 0:
		return &StopError{Where: place(r), What: fmt.Sprintf("a field of source.key %v is null: nothing says where the event belongs", t.plan.Sources[in.number].Spec.Key),
			Fix: "declare a key whose fields are never null, or none: the pipeline is rekeyed then"}
	case errors.As(err, &key):
		return &misplacedError{&StopError{Where: place(r), What: fmt.Sprintf("by source.key %v this event belongs to partition %d", t.plan.Sources[in.number].Spec.Key, key.Want),
			Fix: "declare the key that the topic is really keyed by, or none, or produce with the default (murmur2) partitioner"}}
	case errors.As(err, &letter):
		return &StopError{Where: place(r), What: letter.Error(), Fix: fixLetter}
	}
	return fmt.Errorf("%s: %w", place(r), err)
}

const fixLetter = "someone else writes to the pipeline's own topic, or the broker shows what was aborted: see to it, and give the pipeline a new name to start over"

// failed says why the flow has given up. What the task's own input or limits have caused stops the task, not the
// session: the others go on. Part of a record may be counted, so nothing since the last commit is kept.
func (t *task) failed(where string, err error) error {
	var letter *flow.LetterError
	var matches *join.MatchesError
	stop := &StopError{Where: where, What: "the task can't go on", Err: err}
	switch {
	case errors.Is(err, window.ErrOpenWindows):
		stop.Fix = "shorten windows, lateness or gaps, group by less, or raise state.open_max and give the machine the room; nothing of the partition was skipped"
	case errors.As(err, &matches):
		stop.Fix = "narrow join.interval, or keep such keys out of the sources; nothing of the partition was skipped"
	case errors.As(err, &letter):
		stop.Fix = fixLetter
	default:
		return fmt.Errorf("task %d: %w", t.id, err)
	}
	t.abandoned = true
	return stop
}

// halt keeps a *StopError as the fate of the task it concerns; any other error is the session's.
func (r *runner) halt(t *task, err error) error {
	var stop *StopError
	if !errors.As(err, &stop) {
		r.note(t, err)
		return err
	}
	if t.stopped == nil {
		t.stopped = err
	}
	return r.stop(t.id, err)
}

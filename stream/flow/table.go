package flow

import (
	"errors"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Remember puts a version of an enrichment's table in its place, uncounted and however old: a task that begins anew with empty
// state (journal.Change) reads the versions of before once more. What isn't a version is passed over: it was accounted for.
func (f *Flow) Remember(at Place, value []byte) error {
	source := f.plan.Join.Right
	var bad *schema.RecordError
	if err := f.eval.Decode(source, value); errors.As(err, &bad) {
		return nil
	} else if err != nil {
		return err
	}
	id, hasID := f.eval.Identity()
	if !hasID {
		id = PlaceID(at)
	}
	f.key, f.row = f.eval.JoinKey(f.key[:0]), f.eval.Row(f.row[:0])
	if tooLong(f.key, f.row) != nil {
		return nil
	}
	_, err := f.join.Add(join.Right, f.key, f.eval.Event.Time, id, hasID, f.row, window.NoWatermark, f.pair)
	return err
}

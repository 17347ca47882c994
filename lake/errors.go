package lake

import (
	"errors"
	"fmt"
)

// ErrFull is returned by Lander.Append when the budget is used up or too many
// files are open. The record was not taken: seal and land a batch (of any
// lander of the budget), then append it again.
var ErrFull = errors.New("the lander's budget is used up")

// CorruptError says that bytes in the lake are not what was written.
type CorruptError struct {
	Path string // key of the object in the bucket
	What string // what is wrong with it
	Err  error  // may be nil
}

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("corrupt lake object %s: %s: %v", e.Path, e.What, e.Err)
	}
	return fmt.Sprintf("corrupt lake object %s: %s", e.Path, e.What)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// DeclarationError says that a topic's lake was declared otherwise before.
type DeclarationError struct {
	Topic string
	Field string // what differs: event_time, event_id, format, topic_id, schema <id>
	Have  string // as declared
	Want  string // as asked for now
	Hint  string
}

func (e *DeclarationError) Error() string {
	return fmt.Sprintf("topic %s: %s is declared in the lake as %s, not %s; %s", e.Topic, e.Field, e.Have, e.Want, e.Hint)
}

package window

import "errors"

// newSessions makes the open sessions of output i.
func newSessions(e *Engine, i int) (merging, error) {
	return nil, errors.New("session windows are not built yet")
}

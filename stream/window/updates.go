package window

import "errors"

// Updates emits a provisional Result (Result.Open) for each group of an open window that has changed since the last
// Updates of this output; for every open group if all is set: as after a restart, since what has changed is
// remembered in memory only and is no part of the state. The order is (start, key bytes). The output must have
// Output.Updates.
func (e *Engine) Updates(output int, all bool, emit func(*Result) error) error {
	return errors.New("updates are not built yet")
}

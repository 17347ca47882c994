package stream

import "time"

// updates says when an output's open windows were last published.
type updates struct {
	last  time.Time
	begun bool // since this session began
}

// update publishes the open windows of those outputs for which it is time: the groups that have changed since. When a
// session begins all of them are published once, because nobody knows which were before; a value that is published again
// has the same revision, and an upsert of it changes nothing. When it happens is the clock's matter, and no result's.
func (r *runner) update(t *task) error {
	if t.stopped != nil || t.abandoned {
		return nil
	}
	now := r.o.Now()
	for i, every := range t.plan.Updates {
		u := &t.updates[i]
		if every == 0 || u.begun && now.Sub(u.last) < every {
			continue
		}
		// What has closed meanwhile is published as closed, and not as open after it.
		if err := t.close(); err != nil {
			return err
		}
		if err := t.flow.Update(i, !u.begun); err != nil {
			return err
		}
		u.last, u.begun = now, true
	}
	return nil
}

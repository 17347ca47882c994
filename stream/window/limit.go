package window

import "fmt"

// checkRoom refuses an event that would open groups beyond the limit. fills says how many windows of an output, the
// last ones of the event's time, it would be counted in. It changes nothing but what is in memory. As long as there
// is room for groups in all of them, it doesn't look for theirs.
func (e *Engine) checkRoom(in *Input, fills func(i int) int) error {
	open, windows := int64(0), int64(0)
	for i := range e.outs {
		open += e.outs[i].openResults()
		windows += int64(fills(i))
	}
	if open+windows <= e.openMax {
		return nil
	}
	opens := int64(0)
	e.key.bytes = nil
	for i := range e.outs {
		if fills(i) == 0 {
			continue
		}
		n, err := e.opens(i, in, fills(i))
		if err != nil {
			return e.fail(fmt.Errorf("output %q: %w", e.outs[i].Name, err))
		}
		opens += n
	}
	if opens == 0 || open+opens <= e.openMax {
		return nil
	}
	return fmt.Errorf("%w: %d results are open, %d more would be, at most %d: let windows close, or raise the limit", ErrOpenWindows, open, opens, e.openMax)
}

// opens is the number of groups that an event would open in the last `fill` windows of output i.
func (e *Engine) opens(i int, in *Input, fill int) (n int64, err error) {
	if err := e.setKey(in.Keys[i]); err != nil {
		return 0, err
	}
	o := &e.outs[i]
	if o.sess != nil {
		opens, err := o.sess.opens(in.Time)
		if opens {
			n = 1
		}
		return n, err
	}
	wins := o.at(in.Time).wins
	for at := len(wins) - fill; at < len(wins); at++ {
		has, err := e.hasGroup(i, &wins[at])
		if err != nil {
			return 0, err
		}
		if !has {
			n++
		}
	}
	return n, nil
}

// hasGroup says whether a window of output i has a group of e.key.
func (e *Engine) hasGroup(i int, w *win) (bool, error) {
	o := &e.outs[i]
	if _, found := o.search(w.Start); !found {
		return false, nil
	}
	p := w.pane
	if p == nil {
		p = o.open(w, &e.mem)
	}
	at := p.find(&e.key, &o.layout.shape)
	if at < 0 && p.partial {
		var err error
		if at, err = e.readThrough(i, p, w.Start); err != nil {
			return false, err
		}
	}
	return at >= 0, nil
}

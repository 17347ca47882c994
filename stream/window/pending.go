package window

import (
	"maps"
	"slices"
)

// pending is the keys of a window's groups that have changed since the last Updates and whose pane was evicted after
// that: memory has nothing else of them.
type pending struct {
	keys map[string]struct{}
	held int64
}

const pendingBytes = 64 // of a key beside its own bytes

// hold keeps the keys of the changed records of a pane that is about to go.
func (r *paneRef) hold(sh *shape, m *memory) {
	if len(r.p.updated) == 0 {
		return
	}
	if r.pending == nil {
		r.pending = &pending{keys: map[string]struct{}{}}
	}
	for _, at := range r.p.updated {
		key := string(r.p.keyOf(nil, int(at), sh))
		if _, has := r.pending.keys[key]; has {
			continue
		}
		r.pending.keys[key] = struct{}{}
		r.pending.held += int64(len(key)) + pendingBytes
		m.note(int64(len(key)) + pendingBytes)
	}
}

// sorted is the keys in order.
func (p *pending) sorted() []string {
	if p == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(p.keys))
}

// release gives the memory back.
func (p *pending) release(m *memory) {
	if p != nil {
		m.note(-p.held)
	}
}

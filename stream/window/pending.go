package window

import (
	"maps"
	"slices"
)

// pending is the keys of a window's groups that have changed since the last Updates and whose pane was evicted after
// that: memory has nothing else of them. Where even the keys are too many, the next Updates tells of all groups: those that
// have not changed say again what they said.
type pending struct {
	keys map[string]struct{}
	held int64
	all  bool // too many have changed to remember which
}

const (
	pendingBytes = 64 // of a key beside its own bytes
	pendingShare = 16 // of the limit, for the keys of one window
	pendingLeast = 64 << 10
)

// hold keeps the keys of the changed records of a pane that is about to go.
func (r *paneRef) hold(sh *shape, m *memory) {
	if len(r.p.updated) == 0 || r.pending != nil && r.pending.all {
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
	if room := max(m.limit/pendingShare, pendingLeast); m.limit > 0 && r.pending.held > room {
		r.pending.release(m)
		*r.pending = pending{all: true}
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

package window

import (
	"slices"
)

// sessionPane is what memory holds of the sessions of one span: the groups, found by their keys, and the sessions of
// each, ascending. Nothing in it is ever deleted but as a whole; see rebuild.
type sessionPane struct {
	groups *pane // records of groupWords
	recs   slab  // sessions
	beside       // of the sessions
	lists  [][]uint32
	free   []uint32 // lists that nobody uses
	due    dueHeap
	dirty  []uint32  // sessions that have changed since the last Write, dead ones too
	live   int       // open sessions
	dead   int       // sessions that have closed or merged
	kept   int       // those of them that the last rebuild had to keep
	one    [1]uint32 // room for the list of a group with one session
}

// The words of a group's record, behind those of any key.
const (
	groupSessions = recB + 1 // 0: none; odd: its only session * 2 + 1; else its list * 2
	groupUsed     = recB + 2 // engine's epoch when last used
	groupWords    = recB + 3
)

// The words of a session's record: what a layout has for the key serves otherwise, and two words follow those of the
// layout.
const (
	sessionState = recKey // flags, and the number of its group's record
	sessionFirst = recA   // time of the first event
	sessionLast  = recB   // time of the last event
	sessionExtra = 2      // first and last as the Backing has them

	flagDead   = 1 << 63 // it has closed, or was merged into another
	flagDirty  = 1 << 62 // it is in dirty
	flagStored = 1 << 61 // the Backing has it
	groupMask  = 1<<32 - 1
)

const sessionPaneBytes = 256 // of a sessionPane without its blocks

func newSessionPane(m *memory) *sessionPane {
	m.note(sessionPaneBytes)
	return &sessionPane{groups: newPane(m), beside: newBeside(m), lists: make([][]uint32, 1)}
}

// release gives the pane's memory back.
func (p *sessionPane) release(m *memory) {
	p.groups.release(m)
	p.recs.release(m)
	p.beside.release(m)
	for _, l := range p.lists {
		m.note(-int64(cap(l)) * 4)
	}
	m.note(-int64(cap(p.free)+cap(p.dirty)+4*cap(p.due))*4 - sessionPaneBytes - p.listBytes())
	*p = sessionPane{}
}

func (p *sessionPane) listBytes() int64 { return int64(cap(p.lists)-1) * 24 }

// of is the open sessions of a group, ascending. It is valid until the next change or call.
func (p *sessionPane) of(group []uint64) []uint32 {
	switch w := group[groupSessions]; {
	case w == 0:
		return nil
	case w&1 == 1:
		p.one[0] = uint32(w >> 1)
		return p.one[:]
	default:
		return p.lists[w>>1]
	}
}

// insert puts session rec at place `at` of a group's sessions.
func (p *sessionPane) insert(group []uint64, at int, rec uint32, m *memory) {
	w := group[groupSessions]
	if w == 0 {
		group[groupSessions] = uint64(rec)<<1 | 1
		return
	}
	if w&1 == 1 {
		list := p.takeList(m)
		p.lists[list] = noted(append(p.lists[list], uint32(w>>1)), p.lists[list], m)
		w = uint64(list) << 1
		group[groupSessions] = w
	}
	before := p.lists[w>>1]
	p.lists[w>>1] = noted(slices.Insert(before, at, rec), before, m)
}

func (p *sessionPane) takeList(m *memory) uint32 {
	if n := len(p.free); n > 0 {
		list := p.free[n-1]
		p.free = p.free[:n-1]
		return list
	}
	before := p.listBytes()
	p.lists = append(p.lists, nil)
	m.note(p.listBytes() - before)
	return uint32(len(p.lists) - 1)
}

// remove takes the session at place `at` out of a group's sessions: it is dead.
func (p *sessionPane) remove(group []uint64, at int, sh *shape, m *memory) {
	list := p.of(group)
	p.recs.at(int(list[at]), sh)[sessionState] |= flagDead
	p.live--
	p.dead++
	w := group[groupSessions]
	switch {
	case w&1 == 1:
		group[groupSessions] = 0
	case len(list) == 2:
		group[groupSessions] = uint64(list[1-at])<<1 | 1
		p.lists[w>>1] = list[:0]
		p.free = noted(append(p.free, uint32(w>>1)), p.free, m)
	default:
		p.lists[w>>1] = slices.Delete(list, at, at+1)
	}
}

// add makes a session of a group with its first and last event's times and nothing else.
func (s *sessions) add(sp *sessionSpan, group int, at int, first, last int64) (rec []uint64) {
	p, m := sp.p, &s.e.mem
	i := p.recs.add(&s.shape, m)
	rec = p.recs.at(i, &s.shape)
	rec[sessionState], rec[sessionFirst], rec[sessionLast] = uint64(group), uint64(first), uint64(last)
	p.insert(p.groups.recs.at(group, &s.group), at, uint32(i), m)
	p.live++
	p.due.push(due{closes: s.closes(sp, last), rec: uint32(i)}, m)
	return rec
}

// mark notes that a session has changed.
func (p *sessionPane) mark(i uint32, rec []uint64, m *memory) {
	if rec[sessionState]&flagDirty == 0 {
		rec[sessionState] |= flagDirty
		p.dirty = noted(append(p.dirty, i), p.dirty, m)
	}
}

// due says when a session closes, or that it doesn't close before: an entry isn't moved when its session grows.
type due struct {
	closes int64
	rec    uint32
}

// dueHeap is a binary heap, the least first.
type dueHeap []due

func (h *dueHeap) push(d due, m *memory) {
	before := cap(*h)
	*h = append(*h, d)
	m.note(int64(cap(*h)-before) * 16)
	q := *h
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if q[parent].closes <= d.closes {
			break
		}
		q[i], i = q[parent], parent
	}
	q[i] = d
}

// replace puts d in the place of the least.
func (h dueHeap) replace(d due) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].closes < h[child].closes {
			child++
		}
		if h[child].closes >= d.closes {
			break
		}
		h[i], i = h[child], child
	}
	h[i] = d
}

// pop takes the least away.
func (h *dueHeap) pop() {
	q := *h
	last := q[len(q)-1]
	*h = q[:len(q)-1]
	if len(*h) > 0 {
		h.replace(last)
	}
}

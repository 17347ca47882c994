package window

import "slices"

// sessions is the open sessions of one output: windows that depend on their events. Other outputs have panes. The engine
// asks of it what it does with panes itself (discover, enter, opens, close, write, evict; open, bound, oldest, eachOpen),
// and has done before that what is the same for all: it judges and dedups, it has checked the group key and set e.key to
// it. An error of any of them makes the engine unusable. Memory is accounted for in e.mem; e.keyBuf and e.valBuf are
// scratch of any call.
//
// # Semantics
//
// Two events of a group belong together when they are less than Gap apart and lie in the same aligned span (Size and
// Zone). A session is what that relation connects. It holds the time from its first event to min(last event + Gap,
// end of the span): Result.Start and Result.End. An event exactly Gap after another begins a new session; an event
// between two sessions may join them to one, whose record is the merge of both and the event.
//
// An event is late when its own source partition's watermark >= its time + Lateness, whatever sessions there are. A
// session closes when the task's watermark >= its end + Lateness. So a session that an event on time could touch is
// always open: its end lies above the event's time, and the task's watermark isn't above the partition's. What a
// session holds is therefore a function of the set of events on time, whatever their order (law L1). Judging by the
// end that the event alone would give a session looks as good, and isn't (model sessions_idle_joins.py).
//
// # What is kept, and when it goes
//
// In the Backing each session is a record under its own key, beside an entry in an index by the watermark that closes
// it, so that finding what is due reads nothing else. For each span a header tells how many sessions are open and the
// time of their last event. All three are functions of the set of events on time and of the highest watermark
// closed. A merge or an extension backwards deletes keys and sets others; what opens and closes between two Writes
// leaves no trace. In memory the same index is a heap. Groups that are stored are evicted when memory is short, and
// read back, all their sessions of one span at once, when an event of theirs comes.
//
// # Invariants
//
//	S1  Sessions of a group lie at least Gap apart. So an event touches at most two, which are neighbours.
//	S2  A group is in memory with all its open sessions of a span, or not at all; what is in memory is newer.
//	S3  A stored session whose closing watermark isn't above the highest that Close was given has been emitted, and
//	    the next Write deletes it. Nothing else that the Backing has and memory hasn't is out of date.
//	S4  A span is listed while it has open sessions, and has at most one header. Spans' sessions close in the order of
//	    the spans.
//	S5  The last event of a span's open sessions is in the one that closes last.
//	S6  Sessions that have closed or merged leave dead records in memory, which go when they outnumber the others.
type sessions struct {
	e     *Engine
	out   *output
	at    int   // its index
	shape shape // of a session's record
	group shape // of a group's

	spans  []*sessionSpan // ascending start
	near   *sessionSpan   // last used
	total  int64          // open sessions of all spans
	stored int64          // entries of the index in the Backing; after a Write, one for each open session
	closed int64          // highest watermark that close was given
	wrote  int64          // closed, as of the last Write
	gone   timeRange      // starts of spans without open sessions whose headers the Backing still has

	lo, hi []byte
	hot    []hotDue
	cold   coldDue
	aside  beside   // of a stored session
	words  []uint64 // its record
}

// sessionSpan is an aligned span with open sessions.
type sessionSpan struct {
	Span
	spanHeader
	written spanHeader   // what the Backing's header tells
	p       *sessionPane // nil: all sessions are in the Backing only
}

// spanHeader is what the Backing tells of a span beside its sessions.
type spanHeader struct {
	open int64 // open sessions, of all groups; 0: there is no header
	last int64 // time of the last event in them
}

const sessionSpanBytes = 96

// newSessions makes the open sessions of output i.
func newSessions(e *Engine, i int) *sessions {
	o := &e.outs[i]
	stride := o.layout.stride
	return &sessions{
		e: e, out: o, at: i, closed: NoWatermark, wrote: NoWatermark,
		shape: shapeOf(stride + sessionExtra), group: shapeOf(groupWords), words: make([]uint64, stride),
	}
}

// end is where a session with a last event ends.
func (s *sessions) end(sp *sessionSpan, last int64) int64 { return min(last+s.out.Gap, sp.End) }

// closes is the watermark that closes it.
func (s *sessions) closes(sp *sessionSpan, last int64) int64 { return s.end(sp, last) + s.out.Lateness }

// find is the span that holds t, or nil, and its place among the spans.
func (s *sessions) find(t int64) (*sessionSpan, int) {
	if s.near != nil && s.near.Start <= t && t < s.near.End {
		return s.near, -1
	}
	at, found := slices.BinarySearchFunc(s.spans, t, func(sp *sessionSpan, t int64) int {
		switch {
		case t < sp.Start:
			return 1
		case t >= sp.End:
			return -1
		}
		return 0
	})
	if !found {
		return nil, at
	}
	s.near = s.spans[at]
	return s.near, at
}

// spanOf is the span that holds t, made if need be.
func (s *sessions) spanOf(t int64) *sessionSpan {
	sp, at := s.find(t)
	if sp == nil {
		sp = &sessionSpan{Span: s.out.cut(t)}
		sp.last = t
		s.spans = slices.Insert(s.spans, at, sp)
		s.e.mem.note(sessionSpanBytes)
		s.near = sp
	}
	if sp.p == nil {
		sp.p = newSessionPane(&s.e.mem)
	}
	return sp
}

// absent is the number of the span's sessions that only the Backing has.
func (sp *sessionSpan) absent() int64 {
	if sp.p == nil {
		return sp.open
	}
	return sp.open - int64(sp.p.live)
}

// opened counts n more open sessions of a span.
func (s *sessions) opened(sp *sessionSpan, n int64) {
	sp.open += n
	s.total += n
}

// forgetSpans forgets the spans that have no open session.
func (s *sessions) forgetSpans() {
	s.spans = slices.DeleteFunc(s.spans, func(sp *sessionSpan) bool {
		if sp.open > 0 {
			return false
		}
		if sp.written.open > 0 {
			s.gone.add(sp.Start)
		}
		if sp.p != nil {
			sp.p.release(&s.e.mem)
		}
		s.e.mem.note(-sessionSpanBytes)
		return true
	})
	s.near = nil
	if len(s.spans) == 0 {
		s.releaseScratch()
	}
}

// releaseScratch gives the memory back that closing has taken.
func (s *sessions) releaseScratch() {
	s.e.mem.note(-s.cold.bytes() - int64(cap(s.hot))*hotDueBytes)
	s.cold, s.hot = coldDue{}, nil
}

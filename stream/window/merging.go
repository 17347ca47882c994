package window

// merging holds the open windows of an output whose windows depend on its events: sessions. Other outputs have
// panes. The engine drives it, on one goroutine; an error of any method makes the engine unusable.
//
// What the engine does, so that it doesn't:
//
//   - It judges: an event is late for sessions when its own watermark >= time + Lateness (missing nothing else), and
//     enter isn't called. So whatever is entered has a time + Lateness above the highest watermark given to close.
//   - It dedups: enter is called with fresh = true once for an identity, or for an event without one, and with
//     fresh = false for each further copy. The first copy's session is still open then: it closes at Lateness after
//     its end, and its end is above the event's time.
//   - It checks the group key's length, and sets e.key to it (hash, prefix, bytes) before enter. The bytes are the
//     caller's: valid during the call.
//   - It accounts for memory in e.mem: note what is allocated and what goes.
//
// What an implementation finds in the engine: e.outs[i] with its Output, its layout (fold, appendRecord,
// decodeRecord, mergeRecords, read; a record's words refer to a beside, which goes as a whole) and cut(t), the
// aligned span of a time; e.back (nil without a Backing); e.keyBuf and e.valBuf, scratch of any call; e.result and
// e.values for results.
//
// State: keys of an output begin with one of the bytes 0x13 to 0x17, then the output's number in 2 bytes, big-endian.
// Every stored byte is a function of the set of events in the sessions that are open (invariants 1 and 6): not of
// arrival order, evictions, or where Writes were. FORMAT.md draws them.
type merging interface {
	// discover finds what an earlier engine has stored; e.closed is set. It runs once, before all others, and only
	// with a Backing. It should read what is needed to answer open, bound, oldest and eachOpen.
	discover() error

	// enter counts an event in the session that holds its time, which it makes, extends, or makes of two that it
	// joins. in.Keys[i] and in.Args[i] are its own; layout.args says how many arguments there must be. fresh is false
	// for one more copy of an event that is in there: it adds 1 to the session's duplicates, and fails with
	// errIdentity if no session of the key holds the time.
	enter(in *Input, fresh bool) error

	// opens says whether enter with a fresh event of this time, and the key in e.key, would raise open. It changes
	// nothing but what is in memory.
	opens(t int64) (bool, error)

	// close closes every session whose end + Lateness <= watermark, its end being min(last + Gap, end of the aligned
	// span). It emits one Result each, in the order (start, key bytes): Output, Key, Start (its first time), End,
	// Events, Duplicates, Values. What emit is given is valid during the call. e.closed is the watermark already.
	close(watermark int64, emit func(*Result) error) error

	// write hands w all changes since the last write, deletions before sets. It is called once in each Write of the
	// engine, whether anything has changed or not.
	write(w Writer) error

	// evict runs after a write, with a Backing: all that is in memory is stored, too. It drops what memory can do
	// without, the longest unused first, until enough says so or nothing is left.
	evict(enough func() bool)

	// open is the number of open sessions.
	open() int64

	// bound is the watermark that closes every open session whose end isn't above limit; false when there is none.
	bound(limit int64) (int64, bool)

	// oldest is the first that eachOpen tells of; false when there is none.
	oldest() (OpenWindow, bool)

	// eachOpen calls fn for each aligned span with open sessions, in their order, until fn returns false; it then
	// returns false. Closes is the watermark that closes the first of the span's sessions, Groups their number.
	eachOpen(fn func(OpenWindow) bool) bool
}

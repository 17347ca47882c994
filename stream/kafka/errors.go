package kafka

import "errors"

// The ways in which a commit, or a session, ends other than well. They are told apart by what the
// caller must do next (DESIGN section 8); the wrapped error says what Kafka answered.
var (
	// ErrFenced says that someone else owns the partitions or the transactional id now. Drop
	// the tasks and build a new session; not a crash.
	ErrFenced = errors.New("fenced")
	// ErrInstanceFenced says that another process runs with the same instance id and has
	// taken this one's place. Exit: rejoining would only fence the other process in turn.
	ErrInstanceFenced = errors.New("another process has this instance id")
	// ErrUnknownOutcome says that the broker's answer to the end of a transaction was lost or never
	// came: it may have been committed. Only the committed offsets can tell.
	ErrUnknownOutcome = errors.New("outcome of the transaction unknown")
	// ErrNoTopic says that the topic does not exist.
	ErrNoTopic = errors.New("no such topic")
)

package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The ways in which a commit, a session or a read ends other than well. They are told apart by what the
// caller must do next; the wrapped error says what Kafka answered. None of them is
// proof that a transaction was not committed.
var (
	// ErrFenced says that someone else owns the partitions or the transactional id now. Drop
	// the tasks and build a new session; not a crash.
	ErrFenced = errors.New("fenced")
	// ErrInstanceFenced says that another process runs with the same instance id and has
	// taken this one's place. Exit: rejoining would only fence the other process in turn.
	ErrInstanceFenced = errors.New("another process has this instance id")
	// ErrUnknownOutcome says that the broker's answer to the end of a transaction was lost or never
	// came: it may have been committed.
	ErrUnknownOutcome = errors.New("outcome of the transaction unknown")
	// ErrNoTopic says that the topic does not exist, or was deleted and created again.
	ErrNoTopic = errors.New("no such topic")
	// ErrOutOfRange says that an offset is not in the log: retention or an operator removed
	// it, or the log is another one. Nothing is skipped.
	ErrOutOfRange = errors.New("offset out of range")
)

// RevokedError is an ErrFenced that is nobody's fault: the group has divided its partitions anew, because a process came or went.
type RevokedError struct{ What string }

func (e *RevokedError) Error() string { return e.What }

// Unwrap makes it an ErrFenced.
func (e *RevokedError) Unwrap() error { return ErrFenced }

// fences are Kafka's answers that say: no longer yours.
var fences = []error{
	kerr.ProducerFenced,
	kerr.InvalidProducerEpoch,
	kerr.InvalidProducerIDMapping,
	kerr.IllegalGeneration,
	kerr.UnknownMemberID,
	kerr.RebalanceInProgress,
	kerr.StaleMemberEpoch,
	kerr.FencedMemberEpoch,
	kerr.GroupIDNotFound,
	kerr.InvalidTxnState, // the transaction is not open any more: it timed out, or another producer ended it
}

// classify adds the class of what Kafka answered to err, or returns it as it is.
func classify(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrFenced), errors.Is(err, ErrInstanceFenced):
		return err
	case errors.Is(err, kerr.FencedInstanceID):
		return fmt.Errorf("%w: %w (two processes must not share an id: stop one, or give it another)", ErrInstanceFenced, err)
	case errors.Is(err, kerr.OffsetOutOfRange):
		return fmt.Errorf("%w: %w", ErrOutOfRange, err)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return fmt.Errorf("%w: %w", ErrNoTopic, err)
	}
	for _, fence := range fences {
		if errors.Is(err, fence) {
			return fmt.Errorf("%w: %w", ErrFenced, err)
		}
	}
	return err
}

// classifyEnd classifies an error of the request that ends a transaction. Only a definite
// answer of the coordinator is an answer: anything else leaves the outcome open.
func classifyEnd(err error) error {
	err = classify(err)
	if err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrInstanceFenced) {
		return err
	}
	var answer *kerr.Error
	if errors.As(err, &answer) && !answer.Retriable && answer != kerr.UnknownServerError {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
}

// Passes says whether what err tells of may pass by itself: someone else took over, an answer was lost or came too late, the
// broker said that it may be asked again, or the connection broke.
func Passes(err error) bool {
	return errors.Is(err, ErrFenced) || errors.Is(err, ErrUnknownOutcome) || errors.Is(err, context.DeadlineExceeded) || retriable(err)
}

// retriable says whether a request may be sent again after err: the broker said so, or the connection broke.
func retriable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrClientClosed) {
		return false
	}
	var answer *kerr.Error
	if errors.As(err, &answer) {
		return answer.Retriable
	}
	return kgo.IsRetryableBrokerErr(err) || isDial(err)
}

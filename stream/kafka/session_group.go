package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// groupHook is how the client says with which answer its membership ended.
type groupHook struct{ s *Session }

var _ kgo.HookGroupManageError = groupHook{}

func (h groupHook) OnGroupManageError(err error) {
	if errors.Is(err, context.Canceled) {
		return // of Close, or of an assignment that a rebalance overtook
	}
	h.s.over(fmt.Errorf("membership of group %s: %w", h.s.o.Group, classify(err)), true)
}

// over ends the session for the reason given. The first reason stays, except that an answer of Kafka's replaces
// what was inferred from a callback: the client reports that partitions are lost before it says why.
func (s *Session) over(why error, firm bool) {
	s.mu.Lock()
	if s.why == nil || (firm && !s.firm && !s.closed) {
		s.why, s.firm = why, firm
	}
	s.mu.Unlock()
	s.endRunning()
}

// ended returns why the session is over, or nil while it is not.
func (s *Session) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

func (s *Session) signal() {
	select {
	case s.rebalanced <- struct{}{}:
	default: // one is waiting to be read already
	}
}

// onAssigned replaces the offsets that the client fetched by the caller's. The epoch is left
// out: with one, the client would first compare it with the leader's and might move the position.
func (s *Session) onAssigned(ctx context.Context, fetched map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	if s.ended() != nil {
		return nil, stay(ctx) // invariant 2: the client rejoins by itself, and is assigned partitions again
	}
	partitions, err := s.together(fetched)
	if err != nil {
		s.over(err, false)
		return nil, stay(ctx)
	}
	starts, err := s.o.OnAssigned(ctx, partitions)
	if err != nil && ctx.Err() != nil {
		// Not wrapped: to the caller this is a rebalance, not a context of its own that ended.
		s.over(&RevokedError{fmt.Sprintf("a rebalance overtook the start of partitions %v of %v: %v", partitions, s.o.Topics, err)}, false)
		return nil, stay(ctx)
	}
	if err != nil {
		s.over(fmt.Errorf("start of partitions %v of %v: %w", partitions, s.o.Topics, err), true)
		return nil, stay(ctx)
	}
	offsets := make(map[string]map[int32]kgo.Offset, len(s.o.Topics))
	for _, topic := range s.o.Topics {
		offsets[topic] = make(map[int32]kgo.Offset, len(partitions))
		for _, p := range partitions {
			start, ok := starts[topic][p]
			if !ok || start < 0 {
				err := fmt.Errorf("start of partition %d of %s: OnAssigned named none", p, topic)
				s.over(err, true)
				return nil, stay(ctx)
			}
			offsets[topic][p] = kgo.NewOffset().At(start)
		}
	}
	s.mu.Lock()
	s.assigned = partitions
	s.mu.Unlock()
	_, generation := s.gts.Client().GroupMetadata()
	s.o.Owned.set(partitions, generation)
	s.signal()
	return offsets, nil
}

// together are the partition numbers that were assigned, the same of every topic. They differ while a member that
// divides the partitions doesn't know of a new topic yet.
func (s *Session) together(fetched map[string]map[int32]kgo.Offset) ([]int32, error) {
	partitions := slices.Sorted(maps.Keys(fetched[s.o.Topics[0]]))
	for _, topic := range s.o.Topics[1:] {
		if others := slices.Sorted(maps.Keys(fetched[topic])); !slices.Equal(partitions, others) {
			return nil, &RevokedError{fmt.Sprintf("partitions %v of %s, but %v of %s: co-partitioned topics have not come together yet",
				partitions, s.o.Topics[0], others, topic)}
		}
	}
	return partitions, nil
}

// stay keeps a session that is over a quiet member of its group until it is closed or the group rebalances. With
// an error the client would rejoin again and again, and a leader that rejoins makes the whole group rebalance.
func stay(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *Session) onRevoked(_ context.Context, _ *kgo.Client, revoked map[string][]int32) {
	if s.take() {
		s.over(&RevokedError{fmt.Sprintf("partitions %v of %s were revoked by a rebalance", revoked[s.o.Topics[0]], s.o.Topics[0])}, false)
		s.signal()
	}
}

// onLost leaves the reason to groupHook, which the client calls right after it.
func (s *Session) onLost(context.Context, *kgo.Client, map[string][]int32) {
	if s.take() {
		s.signal()
	}
}

// take takes back what was handed out to OnAssigned, and tells the caller. It runs under a lock of the client's
// that Commit needs, so it only notes what happened. It says whether the session still ran.
func (s *Session) take() bool {
	s.mu.Lock()
	running := !s.closed && s.why == nil
	partitions := s.assigned
	s.assigned = nil
	s.mu.Unlock()
	if running {
		s.o.Owned.revoke()
	}
	if running && len(partitions) > 0 && s.o.OnRevoked != nil {
		s.o.OnRevoked(partitions)
	}
	return running
}

// Assigned are the partitions that this session reads, in order; none before the first assignment and after
// the session is over.
func (s *Session) Assigned() []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.assigned)
}

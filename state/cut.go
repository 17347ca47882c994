package state

import (
	"encoding/json"
	"math"
	"slices"
)

// CutVersion is the version of the cut's JSON that this release writes.
const CutVersion = 1

// NoBound is the value of Cut.Bound when no confirmed window is open.
const NoBound = math.MinInt64

// Cut is the place in all of a task's inputs that its state reflects (law
// L4), with what describes the state at that place. It is written in the
// same batch as the state, and names every checkpoint. The same cut means the
// same state: see SameState for what that covers.
//
// Times are milliseconds since the epoch, UTC.
type Cut struct {
	Version     int    `json:"version"`     // CutVersion
	Pipeline    string `json:"pipeline"`    // name of the pipeline
	Task        int32  `json:"task"`        // partition number of the task
	Fingerprint string `json:"fingerprint"` // of what decides the pipeline's results

	// Journal is the sequence number of the last decision that is in the
	// state; 0 when there is none.
	Journal int64 `json:"journal"`

	// Life is the number of the change decision with which this state began
	// empty; 0 for a task that has not changed since its birth. State of
	// another life is of no use to this one.
	Life int64 `json:"life,omitempty"`

	// Sources has one entry per source topic, in the pipeline's order.
	Sources  []Source `json:"sources"`
	Counters Counters `json:"counters"`

	// Bound is the watermark that closes every window that holds or has held
	// events, those beyond belief at the time left out; NoBound when there
	// were none. Only decisions read it: it takes no part in SameState.
	Bound int64 `json:"bound"`

	// LastRecordAt is when the last record of any source was consumed, by the
	// wall clock. It takes no part in SameState.
	LastRecordAt int64 `json:"last_record_at"`
}

// Source is the cut in one source partition.
type Source struct {
	Topic      string `json:"topic"`
	TopicID    string `json:"topic_id"` // tells a recreated topic from the old one
	Partition  int32  `json:"partition"`
	Partitions int32  `json:"partitions"` // of the topic, as last seen

	Born        int64 `json:"born,omitempty"` // the offset at which the task began to consume
	Next        int64 `json:"next"`           // the next offset to consume
	LeaderEpoch int32 `json:"leader_epoch"`   // of the last consumed record; -1 unknown

	// Watermark is the owner's own encoding of the partition's watermark; it
	// is kept as it came.
	Watermark json.RawMessage `json:"watermark,omitempty"`
	// Reached is the watermark's value; math.MinInt64 when there is none yet.
	Reached int64 `json:"reached"`

	// LastRecordAt is Cut.LastRecordAt of this source alone; 0 if it had no
	// record yet. It takes no part in SameState.
	LastRecordAt int64 `json:"last_record_at,omitempty"`
}

// Counters account for every record once (law L3): Consumed and Received
// together are the sum of Aggregated to Forwarded.
type Counters struct {
	Consumed   int64 `json:"consumed"`
	Aggregated int64 `json:"aggregated"`
	Duplicate  int64 `json:"duplicate"`
	Late       int64 `json:"late"`
	Filtered   int64 `json:"filtered"`
	Invalid    int64 `json:"invalid"`
	Forwarded  int64 `json:"forwarded,omitempty"` // to the repartition topic
	Received   int64 `json:"received,omitempty"`  // elements of events from it

	// What a join has made of pairs of events, and what rules took of that.
	Pairs         int64 `json:"pairs,omitempty"`
	PairsFiltered int64 `json:"pairs_filtered,omitempty"`
	PairsInvalid  int64 `json:"pairs_invalid,omitempty"`

	Rules   []RuleCounter    `json:"rules,omitempty"`   // in the pipeline's order
	Outputs []OutputCounters `json:"outputs,omitempty"` // in the pipeline's order
}

// Add adds another task's counts of records, pairs and rules. Those of outputs are left alone.
func (n *Counters) Add(o *Counters) {
	n.Consumed += o.Consumed
	n.Aggregated += o.Aggregated
	n.Duplicate += o.Duplicate
	n.Late += o.Late
	n.Filtered += o.Filtered
	n.Invalid += o.Invalid
	n.Forwarded += o.Forwarded
	n.Received += o.Received
	n.Pairs += o.Pairs
	n.PairsFiltered += o.PairsFiltered
	n.PairsInvalid += o.PairsInvalid
	if len(n.Rules) == 0 {
		n.Rules = slices.Clone(o.Rules)
		return
	}
	for i := range o.Rules {
		n.Rules[i].Fired += o.Rules[i].Fired
	}
}

// RuleCounter counts how often a rule fired.
type RuleCounter struct {
	Name  string `json:"name"`
	Fired int64  `json:"fired"`
}

// OutputCounters count one output's windows.
type OutputCounters struct {
	Name   string `json:"name"`
	Closed int64  `json:"closed"` // windows closed and emitted
	Missed int64  `json:"missed"` // windows that an event missed while it was aggregated elsewhere
	Open   int64  `json:"open"`   // windows open now
}

// Position is the part of a cut that orders it: the next offset of each
// source, and the journal.
type Position struct {
	Next    []int64
	Journal int64
}

// Position returns the cut's position.
func (c *Cut) Position() Position {
	p := Position{Journal: c.Journal, Next: make([]int64, len(c.Sources))}
	for i := range c.Sources {
		p.Next[i] = c.Sources[i].Next
	}
	return p
}

// AtOrBelow reports whether p is nowhere past q: state at p can be brought to
// q by replay. Positions over different numbers of sources never compare.
func (p Position) AtOrBelow(q Position) bool {
	if len(p.Next) != len(q.Next) || p.Journal > q.Journal {
		return false
	}
	for i := range p.Next {
		if p.Next[i] > q.Next[i] {
			return false
		}
	}
	return true
}

// Equal reports whether p and q are the same place.
func (p Position) Equal(q Position) bool { return p.AtOrBelow(q) && q.AtOrBelow(p) }

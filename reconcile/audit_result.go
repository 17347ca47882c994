package reconcile

import "time"

// AuditReport is what Audit found.
type AuditReport struct {
	APIVersion  string `json:"apiVersion"`
	Kind        string `json:"kind"` // "AuditReport"
	Pipeline    string `json:"pipeline"`
	Fingerprint string `json:"fingerprint"`
	// Units is the number of certified units that were recomputed, Windows of their windows, Equal how many of these are
	// published as recomputed.
	Units   int   `json:"units"`
	Windows int64 `json:"windows"`
	Equal   int64 `json:"equal"`
	// Root is the Merkle root over the recomputed results: "sha256:...". A function of the events alone.
	Root string `json:"root"`
	// Difference is the first difference, nil if there is none.
	Difference *Difference `json:"difference"`
	// Uncertified are units without a certificate by this fingerprint, Behind those whose input has grown since theirs. Both are
	// named, with what they wait for if they aren't due, and not failed.
	Uncertified []Unit `json:"uncertified,omitempty"`
	Behind      []Unit `json:"behind,omitempty"`
	// Damaged could not be compared, because a lake file that they need is damaged. The first one is the difference, if there is no other.
	Damaged   []Unit `json:"damaged,omitempty"`
	Conflicts int64  `json:"conflicts"`
	// GivenUp are all ranges of the sources that are lost for good, and how many of the certificates that were audited name each.
	GivenUp   []GivenUp `json:"given_up,omitempty"`
	Cost      Cost      `json:"cost"`
	Statement string    `json:"statement"`
	NotProven []string  `json:"not_proven"`
}

// OK reports whether everything certified is equal. That is little if nothing is: see Units.
func (a *AuditReport) OK() bool { return a.Difference == nil }

// Difference is where published and recomputed results part, or where a certificate doesn't hold.
type Difference struct {
	Output    string `json:"output"`
	Partition string `json:"partition"`
	// Kind is "value", "missing" (recomputed but not published), "extra" (published but not recomputed), "revision"
	// (the last record of a key isn't of its highest revision, or that has two values: consumers may hold another), "certificate" (the
	// certificate's hash is another), "chain" (certificates don't follow each other) or "input" (a raw file is gone or altered).
	Kind string `json:"kind"`
	// Key, WindowStart, Field, Streamed and Batch are set where the difference lies in a window.
	Key         string     `json:"key,omitempty"`
	WindowStart *time.Time `json:"window_start,omitempty"`
	Field       string     `json:"field,omitempty"`
	Streamed    Number     `json:"streamed"`
	Batch       Number     `json:"batch"`
	Detail      string     `json:"detail,omitempty"`
}

// Explanation says where one window's value comes from.
type Explanation struct {
	APIVersion  string    `json:"apiVersion"`
	Kind        string    `json:"kind"` // "Explanation"
	Pipeline    string    `json:"pipeline"`
	Output      string    `json:"output"`
	Key         string    `json:"key"`
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
	Partition   string    `json:"partition"`
	// Owner is "stream" (open), "reconciler" (closed); State says which: "open", "closed" or "certified <n>".
	Owner string   `json:"owner"`
	State string   `json:"state"`
	Waits []string `json:"waits,omitempty"`

	// Aggregated is the number of distinct events, Ranges their places, Events each one when asked for.
	Aggregated int64        `json:"aggregated"`
	Ranges     []PlaceRange `json:"ranges"`
	Events     []EventPlace `json:"events,omitempty"`
	Duplicates []EventPlace `json:"duplicates"`
	Late       []EventPlace `json:"late"`
	Conflicts  int64        `json:"conflicts"`
	// Batch is the value recomputed from raw, nil if there is no such window; Published are all revisions, oldest first. Equal says
	// that a consumer holds the former. Odds, if not empty, says why one who goes by revisions may hold another than one who upserts.
	Batch     []NamedValue `json:"batch"`
	Published []Revision   `json:"published"`
	Equal     bool         `json:"equal"`
	Odds      string       `json:"odds,omitempty"`
	// NotLanded is true while the lake lags behind what the stream has read: the batch value may be of fewer events.
	NotLanded []string `json:"not_landed,omitempty"`
}

// PlaceRange is a run of a partition's offsets; Events of its records are in the window.
type PlaceRange struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first"`
	Last      int64  `json:"last"`
	Events    int64  `json:"events"`
}

// EventPlace is one event.
type EventPlace struct {
	Place string    `json:"place"` // topic/partition@offset
	Time  time.Time `json:"time"`
	// Kind is "late" or "missed" for those that the journal names.
	Kind string `json:"kind,omitempty"`
	// BehindMs is by how much the watermark had passed the window's close when the event came.
	BehindMs int64  `json:"behind_ms,omitempty"`
	File     string `json:"file"`
	// Event is the event itself, where few are listed.
	Event RawJSON `json:"event,omitempty"`
}

// NamedValue is one aggregate's value.
type NamedValue struct {
	Name  string `json:"name"`
	Value Number `json:"value"`
}

// Revision is one published value of the window.
type Revision struct {
	Revision    int64        `json:"revision"`
	Status      string       `json:"status"`
	Cause       string       `json:"cause"`
	Events      int64        `json:"events"`
	Late        int64        `json:"late"`
	Duplicates  int64        `json:"duplicates"`
	Values      []NamedValue `json:"values"`
	PublishedAt time.Time    `json:"published_at"`
	Run         string       `json:"run,omitempty"`
	Place       string       `json:"place"`
	// Held marks the last record of the key, which is what a table that is upserted by key holds, and what compaction keeps.
	Held bool `json:"held,omitempty"`
}

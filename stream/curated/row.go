package curated

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// Status says what is known of a row. The numbers are the Avro enum's and never change.
type Status uint8

const (
	StatusUnknown Status = iota // from a later version
	Open                        // the window has not closed; the value may still grow
	Closed                      // the stream closed the window
	Reconciled                  // the reconciler corrected the window
	Retracted                   // there is no such window: all its events were taken away. The row counts for nothing

	statuses // how many there are
)

var statusNames = [statuses]string{"UNKNOWN", "OPEN", "CLOSED", "RECONCILED", "RETRACTED"}

// String is the status's name as the Avro enum has it.
func (s Status) String() string {
	if s < statuses {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// Cause says why a row was published. The numbers are the Avro enum's and never change.
type Cause uint8

const (
	CauseOther     Cause = iota
	CauseUpdate          // an open window's value changed
	CauseClose           // the window closed
	CauseLate            // events came after the window had closed
	CauseDuplicate       // events had counted twice
	CauseCode            // the pipeline changed
	CauseRelease         // quarantined events were released
	CauseMixed           // several of these

	causes // how many there are
)

var causeNames = [causes]string{"OTHER", "UPDATE", "CLOSE", "LATE", "DUPLICATE", "CODE", "RELEASE", "MIXED"}

// String is the cause's name as the Avro enum has it.
func (c Cause) String() string {
	if c < causes {
		return causeNames[c]
	}
	return fmt.Sprintf("Cause(%d)", uint8(c))
}

// Row is one published value of one (output, group, window).
type Row struct {
	// Key is the group key: the canonical Avro bytes of the group's fields, without the window. It is what Append
	// writes; Group is filled by Decode and ignored by Append.
	Key   []byte
	Group []schema.Value
	// Start and End bound the window, [Start, End), in milliseconds since the epoch UTC.
	Start, End int64
	// Values are the aggregates in the order of the output's definition. A retracted row has defaults (0 or null).
	Values []schema.Value

	// Revision orders the values of one (output, group, window): the highest holds. It is that of the last record of the key, too, or
	// something went wrong, and reconcile publishes the value again.
	Revision int64
	Status   Status
	Cause    Cause
	// Events is the number of distinct events in the window, Late that of those that came after it had closed, and
	// Duplicates that of further copies that were seen.
	Events, Late, Duplicates int64
	Pipeline                 string
	// PublishedAt is wall clock, in milliseconds since the epoch UTC.
	PublishedAt int64
	// Run names the reconciliation that published the row. Empty (null in Avro) if the stream did.
	Run string
}

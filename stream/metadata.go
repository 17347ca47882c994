package stream

import (
	"encoding/json"
	"fmt"
)

// metadata travels with the committed offset of a task's source partition, in the same transaction: it is the
// rest of the cut. With it, recovery knows which decisions the committed cut includes, and whether the
// topic and the pipeline are still the same.
type metadata struct {
	Version     int    `json:"v"`
	Journal     int64  `json:"seq"` // number of the last decision included
	Fingerprint string `json:"fp"`
	TopicID     string `json:"topic"`
	Partitions  int32  `json:"n"`
	Born        int64  `json:"born"` // offset at which the task began: the lake must reach back to it
	// Life is the number of the change decision with which the task began anew, with empty state; 0 since its birth.
	Life int64 `json:"life,omitempty"`
}

const metadataVersion = 1

func (m metadata) encode() (string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode offset metadata: %w", err)
	}
	return string(b), nil
}

func parseMetadata(s string) (metadata, error) {
	var m metadata
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return m, fmt.Errorf("offset metadata %q was not written by this program: %w", s, err)
	}
	if m.Version != metadataVersion {
		return m, fmt.Errorf("offset metadata %q has version %d, this program knows %d", s, m.Version, metadataVersion)
	}
	return m, nil
}

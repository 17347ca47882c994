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
	// Closing tells of windows whose closing the transaction has only begun to publish; nil: all are that the watermark has passed.
	Closing *closing `json:"closing,omitempty"`
}

// closing is how far the closing of windows is published that is too large for one transaction. Windows were closed up to
// From before; of what the watermark of the cut closes beyond, Sent results are published, in the order in which windows close.
type closing struct {
	From int64 `json:"from"`
	Sent int64 `json:"sent"`
	skip int64 // results that were published in another life, and are still to be passed over
}

// Version 2 has a life or a closing. A program that knows version 1 only would take half a closing for the whole of it, so
// it must not read them; what it would understand stays version 1.
const (
	metadataPlain   = 1
	metadataVersion = 2
)

func (m metadata) encode() (string, error) {
	if m.Version = metadataPlain; m.Life != 0 || m.Closing != nil {
		m.Version = metadataVersion
	}
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
	if m.Version < metadataPlain || m.Version > metadataVersion {
		return m, fmt.Errorf("offset metadata %q has version %d, this program knows %d to %d", s, m.Version, metadataPlain, metadataVersion)
	}
	return m, nil
}

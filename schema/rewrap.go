package schema

import (
	"encoding/binary"
)

// Wrapper puts wire headers back before what the lake stores.
type Wrapper struct {
	source  Source
	indexes []int // Protobuf behind the Confluent header: of the message in its file
}

// Wrapper is for payloads of the source's events.
func (s Source) Wrapper() (*Wrapper, error) {
	w := &Wrapper{source: s}
	if s.Format == FormatProtobuf && s.confluent() {
		message, _, err := protoMessageOf(s.Schema, s.Message)
		if err != nil {
			return nil, err
		}
		w.indexes = messageIndexes(message)
	}
	return w, nil
}

// Append appends the record value of a stored payload (Event.Payload, with its schema id): Decode makes the same event of
// it as DecodePayload does of the payload. It is the value that was landed, byte for byte, but for message indexes that a
// producer may have written in a longer form.
func (w *Wrapper) Append(dst []byte, id uint32, payload []byte) ([]byte, error) {
	if w.source.Format == FormatJSON || w.source.Format == FormatProtobuf {
		value, err := openStored(payload)
		if err != nil {
			return dst, err
		}
		payload = value
	}
	if w.source.confluent() {
		dst = binary.BigEndian.AppendUint32(append(dst, 0), id)
	}
	if w.indexes != nil {
		dst = appendIndexes(dst, w.indexes)
	}
	return append(dst, payload...), nil
}

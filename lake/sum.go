package lake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// formatVersion is the version of the JSON objects: entries, start markers,
	// declarations, schemas.
	formatVersion = 1
	// entryVersion is that of entries whose range was given up. All others stay
	// of formatVersion, so that a program that knows no other reads them.
	entryVersion = 2
)

// sumKey begins the last member of every JSON object that the lake writes: the
// first 32 hex digits of the SHA-256 of all bytes before the comma.
const sumKey = `,"sum":"`

const sumDigits = 32

// sealJSON encodes v, a struct, with its checksum. Equal values give equal
// bytes.
func sealJSON(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // the text of schemas stays as it was declared
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	text := bytes.TrimSuffix(body.Bytes(), []byte("}\n"))
	return fmt.Appendf(text, `%s%s"}%s`, sumKey, sumOf(text), "\n"), nil
}

// openJSON decodes into v what sealJSON wrote, strictly. Versions above newest
// are told apart from damage.
func openJSON(data []byte, newest int, v any) error {
	tail := len(sumKey) + sumDigits + len("\"}\n")
	if len(data) < tail || !bytes.HasPrefix(data[len(data)-tail:], []byte(sumKey)) || !bytes.HasSuffix(data, []byte("\"}\n")) {
		return errors.New("it does not end in a checksum")
	}
	text := data[:len(data)-tail]
	if have := string(data[len(data)-tail+len(sumKey):][:sumDigits]); have != sumOf(text) {
		return fmt.Errorf("its checksum is %s, its bytes have %s", have, sumOf(text))
	}
	body := append(bytes.Clone(text), '}')
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if version.Version < formatVersion || version.Version > newest {
		return &versionError{version.Version, newest}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

// versionError is not damage: the object is whole, and not for this program.
type versionError struct{ version, newest int }

func (e *versionError) Error() string {
	return fmt.Sprintf("it has format version %d, this program reads version %d; use a newer tidemark", e.version, e.newest)
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:sumDigits]
}

// openObject decodes an object of the bucket, naming it in the error.
func openObject(key string, data []byte, newest int, v any) error {
	err := openJSON(data, newest, v)
	var version *versionError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &version):
		return fmt.Errorf("read %s: %w", key, err)
	}
	return &CorruptError{Path: key, What: err.Error()}
}

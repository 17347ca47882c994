package blob

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// keyBytesMax is the limit that S3, GCS and Azure share.
	keyBytesMax = 1024
	// segmentBytesMax is the longest file name of common file systems.
	segmentBytesMax = 255
)

// ErrInvalidKey is wrapped by what ValidateKey returns.
var ErrInvalidKey = errors.New("invalid object key")

// ValidateKey reports why key cannot name an object, or nil. A key is one or
// more segments joined by "/", at most 1024 bytes; a segment is 1 to 255
// bytes of printable ASCII without space and without \ : * ? " < > |, and does
// not begin with a dot. So no key can name a parent directory, and names that
// begin with a dot are free for a backend's own use.
func ValidateKey(key string) error {
	if key == "" {
		return fmt.Errorf("%w: it is empty", ErrInvalidKey)
	}
	if len(key) > keyBytesMax {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrInvalidKey, len(key), keyBytesMax)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if err := validateSegment(segment); err != nil {
			return fmt.Errorf("%w %q: %w", ErrInvalidKey, key, err)
		}
	}
	return nil
}

func validateSegment(s string) error {
	switch {
	case s == "":
		return errors.New("empty segment")
	case len(s) > segmentBytesMax:
		return fmt.Errorf("a segment of %d bytes, at most %d are allowed", len(s), segmentBytesMax)
	case s[0] == '.':
		return fmt.Errorf("segment %q begins with a dot", s)
	}
	for i := range len(s) {
		if !keyByte(s[i]) {
			return fmt.Errorf("byte 0x%02x is not allowed; encode names with EncodeName", s[i])
		}
	}
	return nil
}

func keyByte(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune(`\:*?"<>|/`, rune(c))
}

// validatePrefix accepts any beginning of a valid key, and "".
func validatePrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	probe := prefix
	if strings.HasSuffix(probe, "/") {
		probe += "x"
	}
	if err := ValidateKey(probe); err != nil {
		return fmt.Errorf("list prefix: %w", err)
	}
	return nil
}

// EncodeName makes any non-empty text (a topic, an output, a key's value) one
// valid segment of a key: letters, digits and - _ . stay, other bytes become
// %XX, and so does a leading dot. Different names give different segments.
// Names whose encoding is longer than 255 bytes are refused by ValidateKey.
func EncodeName(name string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if nameByte(c) && (c != '.' || i > 0) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// DecodeName reverses EncodeName; text that EncodeName does not write is an
// error, so that two segments never mean one name.
func DecodeName(segment string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		if i+2 >= len(segment) {
			return "", fmt.Errorf("decode name %q: cut off after %%", segment)
		}
		hi, lo := hexDigit(segment[i+1]), hexDigit(segment[i+2])
		if hi < 0 || lo < 0 {
			return "", fmt.Errorf("decode name %q: %%%s is no byte", segment, segment[i+1:i+3])
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	name := b.String()
	if EncodeName(name) != segment {
		return "", fmt.Errorf("decode name %q: not written by EncodeName", segment)
	}
	return name, nil
}

func hexDigit(c byte) int { return strings.IndexByte("0123456789ABCDEF", c) }

package schema

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonScanner walks JSON text (RFC 8259). What is wrong with the text itself ends the walk and is in err.
type jsonScanner struct {
	buf  []byte
	pos  int
	err  *RecordError
	text []byte // decoded strings; those that stand in buf as they are do not need it
}

func (s *jsonScanner) fail(reason, format string, args ...any) bool {
	if s.err == nil {
		s.err = &RecordError{Reason: reason, Err: fmt.Errorf("byte %d of %d: %s", s.pos, len(s.buf), fmt.Sprintf(format, args...))}
	}
	return false
}

// failHere says that the text goes on otherwise than JSON does.
func (s *jsonScanner) failHere(expected string) bool {
	if s.pos >= len(s.buf) {
		return s.fail(ReasonBadJSON, "the text ends where %s is expected", expected)
	}
	return s.fail(ReasonBadJSON, "%q where %s is expected", s.buf[s.pos], expected)
}

// next skips white space and gives the byte that follows, 0 at the end.
func (s *jsonScanner) next() byte {
	for s.pos < len(s.buf) {
		switch c := s.buf[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// literal takes a word: true, false, null.
func (s *jsonScanner) literal(word string) bool {
	if len(s.buf)-s.pos < len(word) || string(s.buf[s.pos:s.pos+len(word)]) != word {
		return s.failHere("a JSON value")
	}
	s.pos += len(word)
	return true
}

// str takes a string, whose quote is at pos, and gives its text.
func (s *jsonScanner) str() ([]byte, bool) {
	s.pos++
	start := s.pos
	high := s.plain()
	if s.pos < len(s.buf) && s.buf[s.pos] == '"' {
		b := s.buf[start:s.pos:s.pos]
		if high && !utf8.Valid(b) {
			return nil, s.fail(ReasonBadUTF8, "a string of %d bytes that is no UTF-8", len(b))
		}
		s.pos++
		return b, true
	}
	return s.escaped(start)
}

// plain skips to the next byte of a string that is not content: quote, backslash, control character, end. It reports
// whether a byte beyond ASCII came before.
func (s *jsonScanner) plain() (high bool) {
	const low7, top = 0x0101010101010101, 0x8080808080808080
	for len(s.buf)-s.pos >= 8 {
		w := binary.LittleEndian.Uint64(s.buf[s.pos:])
		quote, slash := w^(low7*'"'), w^(low7*'\\')
		// A byte's top bit is set if the byte is 0 (quote, slash) or below 0x20, or, falsely, if one before it is:
		// only whether there is any counts. Bytes beyond ASCII are left out of it.
		if ((quote-low7)&^quote|(slash-low7)&^slash|(w-low7*0x20)&^w)&top != 0 {
			break
		}
		high = high || w&top != 0
		s.pos += 8
	}
	for s.pos < len(s.buf) {
		c := s.buf[s.pos]
		if c == '"' || c == '\\' || c < 0x20 {
			return high
		}
		high = high || c >= 0x80
		s.pos++
	}
	return high
}

// escaped takes the rest of a string with escapes; its text begins at start.
func (s *jsonScanner) escaped(start int) ([]byte, bool) {
	begin := len(s.text)
	for {
		s.text = append(s.text, s.buf[start:s.pos]...)
		if s.pos >= len(s.buf) {
			return nil, s.fail(ReasonBadJSON, "the text ends inside a string")
		}
		switch c := s.buf[s.pos]; {
		case c == '"':
			s.pos++
			b := s.text[begin:len(s.text):len(s.text)]
			if !utf8.Valid(b) {
				return nil, s.fail(ReasonBadUTF8, "a string of %d bytes that is no UTF-8", len(b))
			}
			return b, true
		case c == '\\':
			if !s.escape() {
				return nil, false
			}
		default:
			return nil, s.fail(ReasonBadJSON, "the control character %q in a string", c)
		}
		start = s.pos
		s.plain()
	}
}

// escape takes one escape sequence and appends what it stands for.
func (s *jsonScanner) escape() bool {
	if s.pos+1 >= len(s.buf) {
		s.pos = len(s.buf)
		return s.fail(ReasonBadJSON, "the text ends inside a string")
	}
	c := s.buf[s.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode()
	default:
		return s.fail(ReasonBadJSON, "\\%c is no escape", c)
	}
	s.text = append(s.text, c)
	s.pos += 2
	return true
}

// unicode takes \u and four digits, or two of them that make a surrogate pair. Half of a pair is no character, and a decoder that
// puts U+FFFD in its place makes different ids the same.
func (s *jsonScanner) unicode() bool {
	r, ok := s.hex(s.pos)
	if !ok {
		return s.fail(ReasonBadJSON, "\\u without four hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		s.pos += 6
		s.text = utf8.AppendRune(s.text, r)
		return true
	}
	second, ok := s.hex(s.pos + 6)
	if r = utf16.DecodeRune(r, second); !ok || r == utf8.RuneError {
		return s.fail(ReasonBadUTF8, "half of a surrogate pair is no character")
	}
	s.pos += 12
	s.text = utf8.AppendRune(s.text, r)
	return true
}

// hex reads \u and four digits at pos.
func (s *jsonScanner) hex(pos int) (r rune, ok bool) {
	if len(s.buf)-pos < 6 || s.buf[pos] != '\\' || s.buf[pos+1] != 'u' {
		return 0, false
	}
	for _, c := range s.buf[pos+2 : pos+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number takes a number and gives its text; whole says that it has neither fraction nor exponent.
func (s *jsonScanner) number() (text []byte, whole, ok bool) {
	start := s.pos
	if s.buf[s.pos] == '-' {
		s.pos++
	}
	first := s.pos
	if !s.digits() {
		return nil, false, false
	}
	if s.buf[first] == '0' && s.pos > first+1 {
		s.pos = first + 1
		return nil, false, s.fail(ReasonBadJSON, "a number with a leading zero")
	}
	whole = true
	if s.pos < len(s.buf) && s.buf[s.pos] == '.' {
		whole = false
		s.pos++
		if !s.digits() {
			return nil, false, false
		}
	}
	if s.pos < len(s.buf) && (s.buf[s.pos] == 'e' || s.buf[s.pos] == 'E') {
		whole = false
		s.pos++
		if s.pos < len(s.buf) && (s.buf[s.pos] == '+' || s.buf[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return nil, false, false
		}
	}
	return s.buf[start:s.pos], whole, true
}

// digits takes one digit or more.
func (s *jsonScanner) digits() bool {
	start := s.pos
	for s.pos < len(s.buf) && '0' <= s.buf[s.pos] && s.buf[s.pos] <= '9' {
		s.pos++
	}
	if s.pos == start {
		return s.failHere("a digit")
	}
	return true
}

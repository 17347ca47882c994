package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// rowVersion is the first byte of a Row. It changes when the encoding does: rows lie in the state of tasks.
const rowVersion = 1

// JoinKey appends the canonical bytes of the decoded event's join key, the fields of on (FORMAT.md): equal exactly if the
// fields are, whichever side the event is of. Nothing is appended if one of them is null: such an event has no partner.
func (e *Eval) JoinKey(dst []byte) []byte {
	before := len(dst)
	for _, i := range e.plan.program.sources[e.source].on {
		v := e.Event.Row[i]
		if v.IsNull() {
			return dst[:before]
		}
		dst = appendField(dst, &v)
	}
	return dst
}

// Row appends the canonical bytes of what a join keeps of the decoded event: the fields that the pipeline's rules and
// outputs read (FORMAT.md).
func (e *Eval) Row(dst []byte) []byte {
	dst = append(dst, rowVersion)
	for _, i := range e.plan.program.sources[e.source].kept {
		dst = appendField(dst, &e.Event.Row[i])
	}
	return dst
}

// Joined evaluates rules, lets, keys and arguments over two rows, as Row has written them, into Input, whose HasID is
// false: a join has seen to copies. right is nil for an event that no version enriches. t is the joined event's time and
// id its identity. It fails as Element does, and with another error if the bytes are no rows; Event is left alone.
func (e *Eval) Joined(left, right []byte, t int64, id [16]byte) (Fate, error) {
	if e.plan.Shape != IntervalJoin && e.plan.Shape != Enrich {
		return Fate{Rule: -1}, errors.New("joined rows in a pipeline without a join")
	}
	if err := e.load(e.plan.Join.Left, left); err != nil {
		return Fate{Rule: -1}, fmt.Errorf("left row: %w", err)
	}
	if right == nil && e.plan.Shape == Enrich {
		s := &e.plan.program.sources[e.plan.Join.Right]
		for _, i := range s.kept {
			e.row[s.from+i] = schema.Value{}
		}
	} else if err := e.load(e.plan.Join.Right, right); err != nil {
		return Fate{Rule: -1}, fmt.Errorf("right row: %w", err)
	}
	e.Input.Time, e.Input.ID, e.Input.HasID = t, id, false
	return e.evaluate()
}

// load reads a row into the source's part of the row of all sources. The values alias it.
func (e *Eval) load(source int, row []byte) error {
	s := &e.plan.program.sources[source]
	if len(row) == 0 || row[0] != rowVersion {
		return fmt.Errorf("%d bytes that begin with no known version", len(row))
	}
	rest := row[1:]
	for _, i := range s.kept {
		n := 0
		if e.row[s.from+i], n = readField(rest); n == 0 {
			return fmt.Errorf("field %s is malformed", s.fields[i])
		}
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the last field", len(rest))
	}
	return nil
}

// appendField appends one value: its kind, then its content. The encoding tells its own length.
func appendField(dst []byte, v *schema.Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case schema.KindBool:
		return append(dst, byte(v.Num&1))
	case schema.KindInt:
		return binary.AppendVarint(dst, v.Int())
	case schema.KindFloat:
		return binary.LittleEndian.AppendUint64(dst, v.Num)
	case schema.KindString, schema.KindBytes:
		dst = binary.AppendUvarint(dst, uint64(len(v.Bytes)))
		return append(dst, v.Bytes...)
	}
	return dst
}

// readField reads what appendField has written and gives its length; 0 if src is something else.
func readField(src []byte) (v schema.Value, n int) {
	if len(src) == 0 {
		return v, 0
	}
	v.Kind = schema.Kind(src[0])
	rest := src[1:]
	switch v.Kind {
	case schema.KindNull:
		return v, 1
	case schema.KindBool:
		if len(rest) == 0 || rest[0] > 1 {
			return v, 0
		}
		v.Num = uint64(rest[0])
		return v, 2
	case schema.KindInt:
		i, n := binary.Varint(rest)
		if n <= 0 || n > 1 && rest[n-1] == 0 { // the shortest form is the only one
			return v, 0
		}
		v.Num = uint64(i)
		return v, 1 + n
	case schema.KindFloat:
		if len(rest) < 8 {
			return v, 0
		}
		v.Num = binary.LittleEndian.Uint64(rest)
		return v, 9
	case schema.KindString, schema.KindBytes:
		size, n := binary.Uvarint(rest)
		if n <= 0 || n > 1 && rest[n-1] == 0 || size > uint64(len(rest)-n) {
			return v, 0
		}
		v.Bytes = rest[n : n+int(size) : n+int(size)]
		return v, 1 + n + int(size)
	}
	return v, 0
}

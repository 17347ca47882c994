package schema

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// enumValue is an enum's number as its name; a number without a name, which a newer writer may know, as its digits.
func (f *protoField) enumValue(number int32) Value {
	if name, ok := f.enum[number]; ok {
		return StringValue(name)
	}
	return StringValue(strconv.AppendInt(nil, int64(number), 10))
}

// The seconds of a google.protobuf.Timestamp: the years 1 to 9999.
const (
	stampMin = MinTime / 1000
	stampMax = MaxTime / 1000
)

// timestamp takes the content of a google.protobuf.Timestamp: microseconds, finer digits cut off towards the past. A
// message that comes in parts is the sum of its parts.
func (w *protoWalk) timestamp(f *protoField, b []byte) {
	var t stamp
	if f.slot != noSlot && !w.row[f.slot].IsNull() {
		t = w.stamps[f.stampID]
	}
	for len(b) > 0 {
		number, wire, n := consumeTag(b)
		if n < 0 {
			w.badStamp(f, len(b), n)
			return
		}
		b = b[n:]
		if wire == protowire.VarintType && (number == 1 || number == 2) {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				w.badStamp(f, len(b), n)
				return
			}
			if number == 1 {
				t.seconds = int64(v)
			} else {
				t.nanos = int32(v)
			}
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, wire, b); n < 0 {
			w.badStamp(f, len(b), n)
			return
		}
		b = b[n:]
	}
	if t.seconds < stampMin || t.seconds > stampMax || t.nanos < 0 || t.nanos > 999_999_999 {
		w.wrong(f, ReasonBadTime, "%d s and %d ns is no Timestamp (years 1 to 9999, 0 to 999999999 ns)", t.seconds, t.nanos)
		return
	}
	if f.slot != noSlot {
		w.stamps[f.stampID] = t
		w.row[f.slot] = IntValue(t.seconds*1_000_000 + int64(t.nanos)/1000)
	}
}

func (w *protoWalk) badStamp(f *protoField, left, n int) {
	bad := wireFault(f.path, left, n)
	w.wrong(f, bad.Reason, "%v", bad.Err)
}

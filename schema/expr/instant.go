package expr

import (
	"math"
	"time"

	"cel.dev/cel-go/common/types"
)

// instant is CEL's timestamp: seconds since the epoch and nanoseconds in them,
// 0 <= nsec < 1e9, within the years 1 to 9999.
type instant struct {
	sec  int64
	nsec int32
}

const (
	minSecond = -62135596800 // 0001-01-01T00:00:00Z
	maxSecond = 253402300799 // 9999-12-31T23:59:59Z
	billion   = 1_000_000_000
)

// instantOf takes a field's number; ok is false outside of CEL's range.
func instantOf(v, perSecond int64) (t instant, ok bool) {
	sec, part := v/perSecond, v%perSecond
	if part < 0 {
		sec, part = sec-1, part+perSecond
	}
	return instant{sec: sec, nsec: int32(part * (billion / perSecond))}, sec >= minSecond && sec <= maxSecond
}

func ofTime(t time.Time) instant { return instant{sec: t.Unix(), nsec: int32(t.Nanosecond())} }

// utc is the time shifted by an offset in seconds, for its calendar fields.
func (t instant) utc(offset int64) time.Time {
	return time.Unix(t.sec+offset, int64(t.nsec)).UTC()
}

// in is the number in a unit, rounded down; ok is false if it has none.
func (t instant) in(perSecond int64) (v int64, ok bool) {
	if perSecond == billion && (t.sec < math.MinInt64/billion || t.sec >= math.MaxInt64/billion) {
		return 0, false
	}
	return t.sec*perSecond + int64(t.nsec)/(billion/perSecond), true
}

func (t instant) compare(u instant) int {
	switch {
	case t.sec < u.sec:
		return -1
	case t.sec > u.sec:
		return 1
	}
	return int(t.nsec) - int(u.nsec)
}

// add moves t by d nanoseconds.
func (t instant) add(d int64) (instant, *fault) {
	sec, nsec := t.sec+d/billion, int64(t.nsec)+d%billion
	if nsec < 0 {
		sec, nsec = sec-1, nsec+billion
	} else if nsec >= billion {
		sec, nsec = sec+1, nsec-billion
	}
	if sec < minSecond || sec > maxSecond {
		return instant{}, faultTime
	}
	return instant{sec: sec, nsec: int32(nsec)}, nil
}

// since is t - u in nanoseconds. As in CEL, the whole seconds must fit first.
func (t instant) since(u instant) (int64, *fault) {
	d, f := multiply(t.sec-u.sec, billion)
	if f != nil {
		return 0, f
	}
	return add(d, int64(t.nsec)-int64(u.nsec))
}

// arithmeticOfTimes builds + and - where a timestamp or duration takes part.
func arithmeticOfTimes(op string, args []node) (node, bool) {
	if len(args) != 2 {
		return node{}, false
	}
	a, b := args[0], args[1]
	switch {
	case op == opAdd && a.kind == kindTime && b.kind == kindSpan:
		return zonedNode(binary(a, b, a.times, b.ints, instant.add), a), true
	case op == opAdd && a.kind == kindSpan && b.kind == kindTime:
		return zonedNode(binary(a, b, a.ints, b.times, func(d int64, t instant) (instant, *fault) { return t.add(d) }), b), true
	case op == opAdd && a.kind == kindSpan && b.kind == kindSpan:
		return spanNode(binary(a, b, a.ints, b.ints, add)), true
	case op == opSubtract && a.kind == kindTime && b.kind == kindTime:
		return spanNode(binary(a, b, a.times, b.times, instant.since)), true
	case op == opSubtract && a.kind == kindTime && b.kind == kindSpan:
		return zonedNode(binary(a, b, a.times, b.ints, before), a), true
	case op == opSubtract && a.kind == kindSpan && b.kind == kindSpan:
		return spanNode(binary(a, b, a.ints, b.ints, subtract)), true
	}
	return node{}, false
}

func zonedNode(r reader[instant], like node) node {
	n := timeNode(r)
	n.zoned = like.zoned
	return n
}

func before(t instant, d int64) (instant, *fault) {
	back, f := negate(d)
	if f != nil {
		return instant{}, f
	}
	return t.add(back)
}

// parseTime and parseSpan are CEL's own conversions, so that they accept what
// it accepts.
func parseTime(text []byte) (instant, *fault) {
	switch v := types.String(text).ConvertToType(types.TimestampType).(type) {
	case types.Timestamp:
		return ofTime(v.Time), nil
	case *types.Err:
		return instant{}, faultOf(v, nil)
	}
	return instant{}, faultNotTime
}

func parseSpan(text []byte) (int64, *fault) {
	if d, ok := types.String(text).ConvertToType(types.DurationType).(types.Duration); ok {
		return int64(d.Duration), nil
	}
	return 0, faultNotSpan
}

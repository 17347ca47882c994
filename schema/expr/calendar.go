package expr

import (
	"regexp"
	"strconv"
	"time"
)

// timeFields are the functions of a timestamp, in a time shifted to its zone.
// Months, days of the month (but for getDate), of the week and of the year count
// from 0, as CEL has it.
var timeFields = map[string]func(time.Time) int64{
	"getFullYear":     func(t time.Time) int64 { return int64(t.Year()) },
	"getMonth":        func(t time.Time) int64 { return int64(t.Month() - 1) },
	"getDate":         func(t time.Time) int64 { return int64(t.Day()) },
	"getDayOfMonth":   func(t time.Time) int64 { return int64(t.Day() - 1) },
	"getDayOfWeek":    func(t time.Time) int64 { return int64(t.Weekday()) },
	"getDayOfYear":    func(t time.Time) int64 { return int64(t.YearDay() - 1) },
	"getHours":        func(t time.Time) int64 { return int64(t.Hour()) },
	"getMinutes":      func(t time.Time) int64 { return int64(t.Minute()) },
	"getSeconds":      func(t time.Time) int64 { return int64(t.Second()) },
	"getMilliseconds": func(t time.Time) int64 { return int64(t.Nanosecond() / 1_000_000) },
}

// spanFields are the functions of a duration: all of it in that unit. CEL takes
// hours, minutes and seconds by way of a double.
var spanFields = map[string]func(time.Duration) int64{
	"getHours":        func(d time.Duration) int64 { return int64(d.Hours()) },
	"getMinutes":      func(d time.Duration) int64 { return int64(d.Minutes()) },
	"getSeconds":      func(d time.Duration) int64 { return int64(d.Seconds()) },
	"getMilliseconds": time.Duration.Milliseconds,
}

var fixedZone = regexp.MustCompile(`^(?:UTC|([+-]?)([01]\d|2[0-3]):([0-5]\d))$`)

// zoneOffset is what a fixed zone is ahead of UTC, in seconds.
func zoneOffset(text string) (seconds int64, ok bool) {
	m := fixedZone.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	if text == "UTC" {
		return 0, true
	}
	hours, err := strconv.Atoi(m[2])
	if err != nil {
		return 0, false
	}
	minutes, err := strconv.Atoi(m[3])
	if err != nil {
		return 0, false
	}
	seconds = int64(hours*3600 + minutes*60)
	if m[1] == "-" {
		seconds = -seconds
	}
	return seconds, true
}

// calendar builds getHours and the like.
func calendar(name string, args []node) (node, bool) {
	a := args[0]
	if a.kind == kindSpan && len(args) == 1 {
		field, ok := spanFields[name]
		if !ok {
			return node{}, false
		}
		return intNode(unary(a, a.ints, func(d int64) (int64, *fault) { return field(time.Duration(d)), nil })), true
	}
	field, ok := timeFields[name]
	if !ok || a.kind != kindTime || len(args) > 2 {
		return node{}, false
	}
	offset := int64(0)
	if len(args) == 2 {
		if args[1].kind != kindString || !args[1].constant {
			return node{}, false
		}
		zone, s := args[1].texts(&run{})
		if offset, ok = zoneOffset(string(zone)); s != valid || !ok {
			return node{}, false
		}
	}
	return intNode(timeField(a, name, field, offset)), true
}

// timeField needs no calendar for what repeats every day or week.
func timeField(a node, name string, field func(time.Time) int64, offset int64) reader[int64] {
	const day = 86_400
	switch name {
	case "getHours":
		return unary(a, a.times, func(t instant) (int64, *fault) { return floorMod(t.sec+offset, day) / 3600, nil })
	case "getMinutes":
		return unary(a, a.times, func(t instant) (int64, *fault) { return floorMod(t.sec+offset, 3600) / 60, nil })
	case "getDayOfWeek": // the epoch was a Thursday
		return unary(a, a.times, func(t instant) (int64, *fault) {
			days := (t.sec + offset - floorMod(t.sec+offset, day)) / day
			return floorMod(days+4, 7), nil
		})
	}
	return unary(a, a.times, func(t instant) (int64, *fault) { return field(t.utc(offset)), nil })
}

func floorMod(x, m int64) int64 {
	if x %= m; x < 0 {
		x += m
	}
	return x
}

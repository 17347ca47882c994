package pipeline

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// durationMax is the longest duration that a file can name: 36,500 days.
const durationMax = 36500 * day

type durationUnit struct {
	name string
	unit time.Duration
}

// durationUnits are the units of a duration, longest first, in which order they must stand.
var durationUnits = []durationUnit{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

// otherUnits are units that people write and that a file can't have, with what to write instead.
var otherUnits = map[string]string{
	"mo": "months", "mon": "months", "month": "months", "months": "months", "M": "months",
	"y": "months", "yr": "months", "year": "months", "years": "months", "Y": "months", "q": "months",
	"w": "a week is 7d", "week": "a week is 7d", "weeks": "a week is 7d",
	"min": "minutes are m, as in 5m", "mins": "minutes are m, as in 5m", "minute": "minutes are m, as in 5m", "minutes": "minutes are m, as in 5m",
	"sec": "seconds are s, as in 5s", "secs": "seconds are s, as in 5s", "second": "seconds are s, as in 5s", "seconds": "seconds are s, as in 5s",
	"hr": "hours are h, as in 5h", "hrs": "hours are h, as in 5h", "hour": "hours are h, as in 5h", "hours": "hours are h, as in 5h", "H": "hours are h, as in 5h",
	"day": "days are d, as in 5d", "days": "days are d, as in 5d", "D": "days are d, as in 5d",
	"us": "milliseconds are the finest", "µs": "milliseconds are the finest", "ns": "milliseconds are the finest",
}

// parseDuration reads a duration such as 30m or 1d12h: whole numbers of d, h, m, s and ms, longest unit first. Zero
// may do without a unit.
func parseDuration(text string) (time.Duration, *complaint) {
	const form = "write whole numbers with units d, h, m, s or ms, as in 30m or 1h30m"
	if text == "0" {
		return 0, nil
	}
	if strings.HasPrefix(text, "-") {
		return 0, complain("durations are never negative; write 0 for none", "%q is negative", text)
	}
	switch {
	case strings.HasPrefix(text, "P") && len(text) > 1:
		return 0, complain("write 1h30m for PT1H30M", "%q is written as in ISO 8601", text)
	case strings.Contains(text, ":"):
		return 0, complain("write 1h30m for 01:30:00", "%q is written as on a clock", text)
	}
	var total time.Duration
	rest, next := text, 0
	for first := true; first || rest != ""; first = false {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		rest = rest[len(digits):]
		name := rest[:unitLen(rest)]
		rest = rest[len(name):]
		switch {
		case digits == "":
			return 0, complain(form, "%q is no duration", text)
		case strings.HasPrefix(name, ".") || strings.HasPrefix(name, ","):
			return 0, complain("write it in the next smaller unit, as in 90m for 1.5h", "%q has a fraction", text)
		case name == "":
			return 0, complain("say of what: "+digits+"s, "+digits+"m, "+digits+"h or "+digits+"d", "%q has no unit", text)
		}
		i := next
		for i < len(durationUnits) && durationUnits[i].name != name {
			i++
		}
		if i == len(durationUnits) {
			return 0, badUnit(text, name, form)
		}
		next = i + 1
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > int64((durationMax-total)/durationUnits[i].unit) {
			return 0, complain("at most 36500d", "%q is too long", text)
		}
		total += time.Duration(n) * durationUnits[i].unit
	}
	return total, nil
}

// parseSigned reads a duration that may be negative, as in -5m.
func parseSigned(text string) (time.Duration, *complaint) {
	if rest, negative := strings.CutPrefix(text, "-"); negative && !strings.HasPrefix(rest, "-") {
		d, c := parseDuration(rest)
		if c != nil {
			c.msg = strings.Replace(c.msg, strconv.Quote(rest), strconv.Quote(text), 1)
		}
		return -d, c
	}
	return parseDuration(strings.TrimPrefix(text, "+"))
}

func badUnit(text, name, form string) *complaint {
	if name != strings.TrimSpace(name) {
		name = strings.TrimSpace(name)
		form = "write it without spaces, and its units as d, h, m, s or ms"
		if slices.ContainsFunc(durationUnits, func(u durationUnit) bool { return u.name == name }) {
			return complain(form, "%q has a space before its unit", text)
		}
	}
	for _, u := range durationUnits {
		if u.name == name {
			return complain("each unit once, the longest first, as in 1d12h30m", "%q has its units out of order", text)
		}
	}
	switch hint := otherUnits[name]; hint {
	case "":
		return complain(form, "%q has the unknown unit %q", text, name)
	case "months":
		return complain("months and years have no fixed length; write days, as in 30d", "%q has the unit %q", text, name)
	default:
		return complain(hint, "%q has the unknown unit %q", text, name)
	}
}

func unitLen(s string) int {
	if i := strings.IndexAny(s, "0123456789"); i >= 0 {
		return i
	}
	return len(s)
}

var sizeUnits = map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// parseSize reads a size in bytes: a whole number of KiB, MiB or GiB.
func parseSize(text string) (int64, *complaint) {
	const form = "write a whole number of KiB, MiB or GiB, as in 64MiB"
	digits := text[:len(text)-len(strings.TrimLeft(text, "0123456789"))]
	name := text[len(digits):]
	unit := sizeUnits[name]
	if digits == "" {
		return 0, complain(form, "%q is no size", text)
	}
	if unit == 0 {
		switch strings.ToLower(name) {
		case "k", "m", "g", "kb", "mb", "gb", "kib", "mib", "gib":
			exact := strings.ToUpper(name[:1]) + "iB"
			return 0, complain("write "+digits+exact+", which is "+digits+" x "+strconv.FormatInt(sizeUnits[exact], 10)+" bytes", "%q has the unknown unit %q", text, name)
		case "":
			return 0, complain(form, "%q has no unit", text)
		}
		return 0, complain(form, "%q has the unknown unit %q", text, name)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return 0, complain("at most 1024GiB", "%q is too large", text)
	}
	return n * unit, nil
}

// parsePercent reads a share such as 5% or 0.5%, and gives it as a fraction of 1.
func parsePercent(text string) (float64, *complaint) {
	number, ok := strings.CutSuffix(text, "%")
	if !ok {
		if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f <= 1 {
			return 0, complain("write "+strconv.FormatFloat(f*100, 'f', -1, 64)+"%", "%q has no %% sign", text)
		}
		return 0, complain("write a percentage, as in 5%", "%q is no percentage", text)
	}
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return 0, complain("write a percentage, as in 5% or 0.5%", "%q is no percentage", text)
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, complain("write a percentage, as in 5% or 0.5%", "%q is no percentage", text)
	}
	return f / 100, nil
}

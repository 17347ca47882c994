package lake

import (
	"fmt"
	"time"
)

const (
	hourMillis = int64(time.Hour / time.Millisecond)
	hourLayout = "dt=2006-01-02/hr=15"
	// The years 1 to 9999, outside of which no event time is valid.
	timeMin = int64(-62135596800000)
	timeMax = int64(253402300799999)
)

// hourOf numbers the hours since the epoch; times before it round down.
func hourOf(t int64) int64 {
	h := t / hourMillis
	if t%hourMillis < 0 {
		h--
	}
	return h
}

// Hour is the lake partition of an event time t (ms since the epoch UTC), such
// as "dt=2013-01-05/hr=07". It is UTC, whatever the machine's zone.
func Hour(t int64) string { return time.UnixMilli(t).UTC().Format(hourLayout) }

// ParseHour returns the start of a lake partition in ms since the epoch UTC.
// Only text that Hour writes is accepted.
func ParseHour(hour string) (int64, error) {
	start, err := time.Parse(hourLayout, hour)
	if err != nil || Hour(start.UnixMilli()) != hour {
		return 0, fmt.Errorf("lake partition %q: want the form dt=2013-01-05/hr=07", hour)
	}
	return start.UnixMilli(), nil
}

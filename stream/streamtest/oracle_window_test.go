package streamtest

import (
	"sync"
	"time"
)

// oracleSpan is [start, end) in ms.
type oracleSpan struct{ start, end int64 }

// spans are the windows of an output that hold a time, by start; of sessions the span that they are cut at.
func (o *metaOutput) spans(t int64) []oracleSpan {
	every := o.every
	if every == 0 {
		every = o.size
	}
	var out []oracleSpan
	switch {
	case o.zone == "":
		for start := t - mod(t, every) - (o.size/every+1)*every; start <= t; start += every {
			if t < start+o.size {
				out = append(out, oracleSpan{start, start + o.size})
			}
		}
	case o.size%msDay == 0:
		z := zoneOf(o.zone)
		size, every := o.size/msDay, every/msDay
		day := z.day(t)
		for first := day - mod(day, every) - (size/every+1)*every; first <= day; first += every {
			s := oracleSpan{z.begin(first), z.begin(first + size)}
			if s.start > t || t >= s.end {
				continue
			}
			if n := len(out); n > 0 && out[n-1].start == s.start { // the zone has left days out
				out = out[:n-1]
			}
			out = append(out, s)
		}
	default:
		z := zoneOf(o.zone)
		day := z.day(t)
		midnight, next := z.begin(day), z.begin(day+1)
		start := midnight
		for start+o.size <= t {
			start += o.size
		}
		out = append(out, oracleSpan{start, min(start+o.size, next)})
	}
	return out
}

// oracleZone is the days of a time zone: the day n begins at the first instant at which clocks show its date or a later one.
type oracleZone struct {
	loc    *time.Location
	mu     sync.Mutex
	begins map[int64]int64
}

var (
	oracleZones   = map[string]*oracleZone{}
	oracleZonesMu sync.Mutex
)

func zoneOf(name string) *oracleZone {
	oracleZonesMu.Lock()
	defer oracleZonesMu.Unlock()
	z := oracleZones[name]
	if z == nil {
		loc, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		z = &oracleZone{loc: loc, begins: map[int64]int64{}}
		oracleZones[name] = z
	}
	return z
}

// shown is the date that clocks show, in days since 1970-01-01.
func (z *oracleZone) shown(t int64) int64 {
	y, m, d := time.UnixMilli(t).In(z.loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (msDay / 1000)
}

// begin looks for the first instant by trying all minutes, and then all milliseconds of one.
func (z *oracleZone) begin(day int64) int64 {
	z.mu.Lock()
	defer z.mu.Unlock()
	if at, ok := z.begins[day]; ok {
		return at
	}
	at := day*msDay - 30*msHour
	for z.shown(at) < day {
		at += msMinute
	}
	lo, hi := at-msMinute, at // shows less, shows it
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; z.shown(mid) >= day {
			hi = mid
		} else {
			lo = mid
		}
	}
	z.begins[day] = hi
	return hi
}

// day is the last one that has begun.
func (z *oracleZone) day(t int64) int64 {
	day := t/msDay + 3
	for z.begin(day) > t {
		day--
	}
	return day
}

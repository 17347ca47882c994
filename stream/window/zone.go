package window

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/tidemark-io/tidemark/stream/window/internal/zoneinfo"
)

// Zone is a time zone whose days windows are aligned to. It is safe for concurrent use, and the same on every
// machine: its data is part of the program (internal/zoneinfo), none is read from the system.
//
// Days are those of the zone's calendar. A day begins at the first instant at which clocks show its midnight or a
// later time: where they are set forward at midnight, at that instant; where they are set back across midnight, the
// minutes that are shown twice belong to the day that has begun. So days tile time, each instant is in exactly one,
// and they last 23, 24 or 25 hours, or what else a zone has done; a day that a zone left out (Pacific/Apia, 30
// December 2011) has no instant.
//
// Windows whose Size is a number of whole days hold as many days, counted from 1970-01-01 of the zone; they may hop by
// whole days. Windows of a Size that divides 24 hours begin at each day's beginning and then every Size of elapsed
// time; the last one ends with the day. So a day of 23 hours has a shorter last window of 6 hours, a day of 25 hours a
// fifth of one hour, and on both the windows behind the change begin an hour off the clocks' 6, 12 and 18. Other Sizes
// are refused.
type Zone struct {
	name string
	loc  *time.Location
	hash [8]byte
}

// LoadZone finds the zone of an IANA name, such as America/New_York.
func LoadZone(name string) (*Zone, error) {
	loc, err := zoneinfo.Load(name)
	if err != nil {
		return nil, err
	}
	z := &Zone{name: name, loc: loc}
	z.hash = z.digest()
	return z, nil
}

// Name is the zone's IANA name.
func (z *Zone) Name() string { return z.name }

// Hash names what the zone's windows depend on, for fingerprints and the layout of state: its offset from UTC at
// 1970-01-01T00:00Z and the instants until 2100 at which the offset changes. Zones that agree in them have one hash.
func (z *Zone) Hash() [8]byte { return z.hash }

var (
	hashFrom = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	hashTo   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

func (z *Zone) digest() (h [8]byte) {
	b := []byte("tidemark zone 1")
	last := int64(math.MinInt64)
	for at := hashFrom; at < hashTo; {
		p := z.period(at)
		if p.offset != last {
			b = binary.BigEndian.AppendUint64(b, uint64(max(at, p.Start)))
			b = binary.BigEndian.AppendUint64(b, uint64(p.offset))
		}
		at, last = p.End, p.offset
	}
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}

// period is a time in which the zone keeps one offset from UTC, in ms. The next may have the same offset.
type period struct {
	Span
	offset int64
}

func (z *Zone) period(t int64) period {
	at := time.UnixMilli(t).In(z.loc)
	_, seconds := at.Zone()
	p := period{Span: Span{math.MinInt64, math.MaxInt64}, offset: int64(seconds) * 1000}
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		p.Start = start.UnixMilli()
	}
	if !end.IsZero() {
		p.End = end.UnixMilli()
	}
	if p.End <= t {
		// Beyond the last transition that a zone's file lists, Go ends a year's last period after 365 days of it (Go
		// 1.26, time.tzset), so that on the last day of a leap year it lies in the past.
		p.End = time.Date(time.UnixMilli(t).UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	}
	return p
}

// day is the number of the day that holds t, from 0 on 1970-01-01: the last one that has begun.
func (z *Zone) day(t int64) int64 {
	day := floorTo(t+z.period(t).offset, dayMs) / dayMs
	for z.begin(day+1) <= t { // clocks have been set back across midnight
		day++
	}
	return day
}

// offsetMax is beyond every offset from UTC.
const offsetMax = dayMs

// begin is the first instant at which the zone's clocks show the midnight with which a day begins, or a later time.
func (z *Zone) begin(day int64) int64 {
	midnight := day * dayMs
	p := z.period(midnight - offsetMax)
	for {
		if at := max(p.Start, midnight-p.offset); at < p.End {
			return at
		}
		p = z.period(p.End)
	}
}

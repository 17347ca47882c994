package schema

// jsonTime reads the text of a date or a timestamp in units per second; a local one has no zone. It is RFC 3339 (a
// seconds value of 60 excepted), with any number of digits after the point; those finer than the unit are cut off,
// towards the past.
func jsonTime(text []byte, logical string, units int64, local bool) (int64, bool) {
	days, rest, ok := takeDate(text)
	if !ok || logical == "date" {
		return days, ok && len(rest) == 0
	}
	if len(rest) < 9 || rest[0] != 'T' && rest[0] != 't' || rest[3] != ':' || rest[6] != ':' {
		return 0, false
	}
	hour, ok1 := twoDigits(rest[1:], 23)
	minute, ok2 := twoDigits(rest[4:], 59)
	second, ok3 := twoDigits(rest[7:], 59)
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	fraction, rest, ok := takeFraction(rest[9:], units)
	if !ok {
		return 0, false
	}
	offset := int64(0)
	if !local {
		if offset, rest, ok = takeZone(rest); !ok {
			return 0, false
		}
	}
	if len(rest) > 0 {
		return 0, false
	}
	s := days*86400 + hour*3600 + minute*60 + second - offset
	v := s*units + fraction
	if (v-fraction)/units != s {
		return 0, false // nanoseconds reach from 1677 to 2262
	}
	return v, true
}

func twoDigits(b []byte, most int64) (int64, bool) {
	if len(b) < 2 || b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return 0, false
	}
	v := int64(b[0]-'0')*10 + int64(b[1]-'0')
	return v, v <= most
}

// takeDate reads "2013-01-05" as days since 1970-01-01, of the proleptic Gregorian calendar.
func takeDate(b []byte) (days int64, rest []byte, ok bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, nil, false
	}
	century, ok1 := twoDigits(b, 99)
	year, ok2 := twoDigits(b[2:], 99)
	month, ok3 := twoDigits(b[5:], 12)
	day, ok4 := twoDigits(b[8:], 31)
	year += century * 100
	if !ok1 || !ok2 || !ok3 || !ok4 || year == 0 || month == 0 || day == 0 || day > daysIn(year, month) {
		return 0, nil, false
	}
	// Count from March 1st of year 0, so that the leap day is the year's last.
	y, m := year, month-3
	if m < 0 {
		y, m = y-1, m+12
	}
	return y*365 + y/4 - y/100 + y/400 + (153*m+2)/5 + day - 1 - 719468, b[10:], true
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// takeFraction reads ".123" in units per second.
func takeFraction(b []byte, units int64) (v int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	b = b[1:]
	n := 0
	for ; n < len(b) && '0' <= b[n] && b[n] <= '9'; n++ {
		if units /= 10; units > 0 {
			v += int64(b[n]-'0') * units
		}
	}
	return v, b[n:], n > 0
}

// takeZone reads "Z" or "+01:00", in seconds east of UTC.
func takeZone(b []byte) (offset int64, rest []byte, ok bool) {
	if len(b) > 0 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, b[1:], true
	}
	if len(b) < 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, nil, false
	}
	hours, ok1 := twoDigits(b[1:], 23)
	minutes, ok2 := twoDigits(b[4:], 59)
	offset = hours*3600 + minutes*60
	if b[0] == '-' {
		offset = -offset
	}
	return offset, b[6:], ok1 && ok2
}

package stream

import "time"

// unlandedMax bounds the marks of one input.
const unlandedMax = 256

// unlanded says how old the records of an input are that are not in the lake yet: thinned out, and then on the side of
// caution. Its owner is the task.
type unlanded struct {
	marks  []mark
	stride int // records of one mark
	last   int // of those, in the last mark
}

// mark is a stretch of records.
type mark struct {
	first  int64     // offset
	oldest int64     // timestamp of a record, ms
	since  time.Time // when the first of them was read
}

// add takes a record that was handed to the lander.
func (u *unlanded) add(offset, timestamp int64, now func() int64) {
	u.stride = max(u.stride, 1)
	n := len(u.marks)
	if n > 0 && u.last < u.stride {
		u.last++
		u.marks[n-1].oldest = min(u.marks[n-1].oldest, timestamp)
		return
	}
	if n == unlandedMax {
		u.halve()
		n = len(u.marks)
	}
	u.marks, u.last = append(u.marks, mark{first: offset, oldest: timestamp, since: time.UnixMilli(now())}), 1
}

// halve joins neighbours.
func (u *unlanded) halve() {
	for i := range unlandedMax / 2 {
		a, b := u.marks[2*i], u.marks[2*i+1]
		a.oldest = min(a.oldest, b.oldest)
		u.marks[i] = a
	}
	u.marks, u.stride = u.marks[:unlandedMax/2], 2*u.stride
}

// trim forgets what is in the lake up to an offset.
func (u *unlanded) trim(landed, next int64) {
	n := 0
	for n < len(u.marks) && (n+1 < len(u.marks) && u.marks[n+1].first <= landed || n+1 == len(u.marks) && next <= landed) {
		n++
	}
	u.marks = u.marks[:copy(u.marks, u.marks[n:])]
	if len(u.marks) == 0 {
		u.stride, u.last = 1, 0
	}
}

// oldest is the lowest timestamp of what isn't landed, and since when the first of it has waited; false: all is.
func (u *unlanded) oldest() (timestamp int64, since time.Time, ok bool) {
	for i, m := range u.marks {
		if i == 0 || m.oldest < timestamp {
			timestamp = m.oldest
		}
	}
	if len(u.marks) == 0 {
		return 0, time.Time{}, false
	}
	return timestamp, u.marks[0].since, true
}

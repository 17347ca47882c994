package lake

import "time"

// openFilesMax bounds the files of one range, and so the size of a log entry.
const openFilesMax = 4096

// span is the records of a range that is not landed yet, spread over the files
// that they belong to.
type span struct {
	budget      *Budget
	files       map[bufferKey]*buffer
	recent      *buffer // where the last record went; most go to the same
	records     int64
	quarantined int64
	bytes       int64 // encoded records
	charged     int64 // with the budget
	openedAt    time.Time
	sealed      bool
}

func newSpan(b *Budget) *span { return &span{budget: b, files: map[bufferKey]*buffer{}} }

// reserve finds the file of key and a block in it with room for a record of
// need bytes, or nil when there is no budget or too many files. forced takes
// the room in any case.
func (s *span) reserve(key bufferKey, need int, schemaBytes int, forced bool) (*buffer, *block) {
	f, extra := s.recent, int64(0)
	if f == nil || f.key != key {
		f = s.files[key]
	}
	if f == nil {
		if len(s.files) >= openFilesMax && !forced {
			return nil, nil
		}
		f = &buffer{key: key}
		extra = fileCharge + int64(schemaBytes)
	}
	fits, growth := f.room(need)
	if !s.charge(growth+extra, forced) {
		return nil, nil
	}
	if extra > 0 {
		s.files[key] = f
	}
	s.recent = f
	return f, f.grow(need, fits, s.budget)
}

// note counts a record that was written to what reserve returned.
func (s *span) note(f *buffer, b *block, offset, time int64, size int) {
	f.note(b, offset, time, size)
	s.records++
	s.bytes += int64(size)
	if f.key.quarantine {
		s.quarantined++
	}
}

func (s *span) charge(n int64, forced bool) bool {
	if n == 0 {
		return true
	}
	if forced {
		s.budget.used.Add(n)
	} else if !s.budget.take(n) {
		return false
	}
	if s.charged == 0 {
		s.budget.landers.Add(1)
	}
	s.charged += n
	s.budget.open.Add(n)
	return true
}

// seal ends the open part of the span's life: it no longer presses others.
func (s *span) seal() {
	if s.sealed {
		return
	}
	s.sealed = true
	if s.charged > 0 {
		s.budget.open.Add(-s.charged)
		s.budget.landers.Add(-1)
	}
}

// free gives all memory back; the span is empty and unusable afterwards.
func (s *span) free() {
	s.seal()
	s.budget.release(s.charged)
	for _, f := range s.files {
		f.free(s.budget)
	}
	s.files, s.recent, s.charged = nil, nil, 0
}

func (f *buffer) free(b *Budget) {
	for i := range f.blocks {
		b.recycle(f.blocks[i].buf)
	}
	f.blocks = nil
}

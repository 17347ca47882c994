package join

// The entries of a bucket that is being emitted are a heap: a Close emits few of many, and others come in between.

// heap makes the heap of the entries whose time isn't below from: those below have been emitted.
func (b *bucket) heap(from int64) {
	if b.heaped {
		return
	}
	b.heaped = true
	b.due = make([]uint32, 0, len(b.entries))
	for i := range b.entries {
		if b.entries[i].t >= from {
			b.due = append(b.due, uint32(i))
		}
	}
	for i := len(b.due)/2 - 1; i >= 0; i-- {
		b.sink(i)
	}
}

func (b *bucket) pushDue(entry uint32) {
	b.due = append(b.due, entry)
	for i := len(b.due) - 1; i > 0; {
		up := (i - 1) / 2
		if !b.before(i, up) {
			return
		}
		b.due[i], b.due[up] = b.due[up], b.due[i]
		i = up
	}
}

// popDue removes the first entry of the heap.
func (b *bucket) popDue() {
	last := len(b.due) - 1
	b.due[0] = b.due[last]
	b.due = b.due[:last]
	b.sink(0)
}

func (b *bucket) sink(i int) {
	for {
		low := 2*i + 1
		if low >= len(b.due) {
			return
		}
		if low+1 < len(b.due) && b.before(low+1, low) {
			low++
		}
		if !b.before(low, i) {
			return
		}
		b.due[i], b.due[low] = b.due[low], b.due[i]
		i = low
	}
}

// before compares two places of the heap.
func (b *bucket) before(i, j int) bool {
	x, y := &b.entries[b.due[i]], &b.entries[b.due[j]]
	if x.t != y.t {
		return x.t < y.t
	}
	p, q := b.event(int(b.due[i])), b.event(int(b.due[j]))
	return compareEvents(&p, &q) < 0
}

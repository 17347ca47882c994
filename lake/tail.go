package lake

// Landed is how far the partition's log reaches, as this process has last seen it: everything before is in the lake,
// and more may be. ok is false as long as no lander has been opened here. It asks nobody.
func (t *Topic) Landed(partition int32) (end int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end, ok = t.ends[partition]
	return end, ok
}

// reached notes an end that was seen. A log only grows, so that a lander may begin to look for the end there: a walk
// costs a get for each entry, and there are as many as there were landings ever.
func (t *Topic) reached(partition int32, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends[partition] = max(t.ends[partition], end)
}

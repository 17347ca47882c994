package state

import "sync"

// doubtsMax bounds what a process remembers of damage; what is left out is
// found again by whoever reads it next.
const doubtsMax = 10_000

// doubts are the keys of objects and manifests in which this process has found
// damage. Such an object is never shared again: the next checkpoint condemns it
// and puts its content anew. A nil one remembers nothing.
type doubts struct {
	mu   sync.Mutex // nothing is called under it
	keys map[string]bool
}

func newDoubts() *doubts { return &doubts{keys: map[string]bool{}} }

func (d *doubts) add(key string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys) < doubtsMax {
		d.keys[key] = true
	}
}

func (d *doubts) has(key string) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keys[key]
}

// clear forgets a manifest that was put anew.
func (d *doubts) clear(key string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.keys, key)
}

// Doubt says that the checkpoint under key, though all its sums are right, is
// not what it should be: it doesn't open, or what was read from it is wrong. It
// counts for nothing from now on, and a checkpoint of its cut is made anew.
// What Restore finds by itself needs no mention.
func (sh *Shared) Doubt(key string) { sh.doubts.add(key) }

package window

import (
	"fmt"
	"hash/maphash"
)

// A window whose groups don't fit memory keeps a filter of those that only the Backing has. Most events that find no group
// in memory open a new one: the filter says so, and only about one in a hundred is looked up for nothing.

// groupID is a group for a filter: its hash, spread over two words.
func groupID(hash uint32) identity {
	a := uint64(hash) * 0x9e3779b97f4a7c15
	b := (a ^ a>>32) * 0xd6e8feb86659fd93
	return identity{a, b ^ b>>32}
}

// chill adds the pane's groups to its filter: they are about to go.
func (p *pane) chill(sh *shape, m *memory) {
	if p.blind || p.recs.n == 0 {
		return
	}
	p.cold.reserve(p.recs.n, m)
	for i := range p.recs.n {
		p.cold.add(groupID(uint32(p.recs.at(i, sh)[recKey] >> 32)))
	}
}

// mayHave says whether the Backing may have e.key in the pane's window. A filter that isn't there, as after a restart, is
// read when it is first asked for, if memory allows.
func (e *Engine) mayHave(i int, p *pane, start int64) (bool, error) {
	if p.blind && !p.looked && e.roomForFilter(p.written) {
		if err := e.loadCold(i, p, start); err != nil {
			return false, err
		}
	}
	p.looked = true
	return p.blind || p.cold.has(groupID(e.key.hash)), nil
}

// roomForFilter says whether a filter of n may take what memory there is: an eighth of the limit at most.
func (e *Engine) roomForFilter(n int64) bool {
	return e.limit == 0 || n*filterBits/8 <= e.limit/8
}

func (e *Engine) loadCold(i int, p *pane, start int64) error {
	p.cold.reserve(int(p.written), &e.mem)
	lo, hi := appendWindowKey(nil, prefixWindow, i, start), appendWindowKey(nil, prefixWindow, i, start+1)
	err := e.back.Scan(lo, hi, func(k, _ []byte) error {
		if len(k) < windowPrefixLen {
			return &CorruptError{Key: append([]byte(nil), k...), What: "key of a record"}
		}
		p.cold.add(groupID(uint32(maphash.Bytes(e.seed, k[windowPrefixLen:]))))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the groups of the window at %d: %w", start, err)
	}
	p.blind = false
	return nil
}

// forgetCold drops filters of groups as long as memory is above its limit: the last that there is to drop.
func (e *Engine) forgetCold(o *output) {
	for j := range o.panes {
		if e.mem.held() <= e.limit {
			return
		}
		ref := &o.panes[j]
		ref.cold.release(&e.mem)
		if p := ref.p; p != nil && len(p.cold) > 0 {
			p.cold.release(&e.mem)
			p.blind, p.looked = true, true
		}
		e.mem.trim()
	}
}

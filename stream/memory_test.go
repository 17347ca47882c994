package stream

import "testing"

// The shares are the whole, at every size; and the heap leaves the rest its room.
func TestSharesAreTheWhole(t *testing.T) {
	for _, total := range []int64{16 << 20, 64 << 20, 128<<20 + 1, 512 << 20, 1 << 40} {
		m := DivideMemory(total)
		sum := int64(0)
		for _, p := range m.Parts() {
			if p.Limit <= 0 {
				t.Errorf("of %d bytes %s gets %d", total, p.Name, p.Limit)
			}
			sum += p.Limit
		}
		if sum != total {
			t.Errorf("the shares of %d add up to %d", total, sum)
		}
		used := m.WriteBack + m.Batch + m.Landing + m.Results + m.Fetch + m.Records + m.Outbox + m.Restore
		if heap := m.Heap(true); used > heap*8/10 {
			t.Errorf("of %d bytes the heap has %d, of which %d may be in use: the collector needs a fifth", total, heap, used)
		}
	}
}

// What some tasks don't use is there for the others, and all together keep to the share.
func TestWaterLevel(t *testing.T) {
	for _, c := range []struct {
		held        []int64
		limit, want int64
	}{
		{nil, 100, 100},
		{[]int64{10, 20, 30}, 100, 100},
		{[]int64{90, 20, 30}, 100, 50},
		{[]int64{90, 80, 4}, 100, 48},
		{[]int64{50, 50, 50, 50}, 100, 25},
	} {
		if got := waterLevel(c.held, c.limit); got != c.want {
			t.Errorf("%v in %d: level %d, want %d", c.held, c.limit, got, c.want)
		}
	}
}

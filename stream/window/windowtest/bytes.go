package windowtest

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"

	"github.com/tidemark-io/tidemark/stream/window"
)

// decodeMax is the memory that about a hundred Decodes of wrong bytes may allocate, besides 64 times their length.
const decodeMax = 8 << 20

// takesItsOwnBytesOnly gives Decode what is nearly right: whatever it takes, Append must write again.
func takesItsOwnBytesOnly(c *trial) error {
	a, err := c.of(c.events)
	if err != nil {
		return err
	}
	own := a.Append(nil)
	if front := a.Append([]byte("front")); !bytes.Equal(front, append([]byte("front"), own...)) {
		return fmt.Errorf("behind other bytes Append writes %s, want them and %s", show(front), show(own))
	}
	var before, after runtime.MemStats
	length := 0
	inputs := c.nearly(own)
	runtime.ReadMemStats(&before)
	for _, src := range inputs {
		if err := c.refusesOrWritesAgain(src); err != nil {
			return err
		}
		length += len(src)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(decodeMax+64*length) {
		return fmt.Errorf("%d Decodes of wrong bytes, %d in all, allocate %d bytes", len(inputs), length, took)
	}
	return nil
}

// refusesOrWritesAgain decodes src.
func (c *trial) refusesOrWritesAgain(src []byte) error {
	b := c.agg.New()
	err := decode(b, src)
	var p *panicError
	if errors.As(err, &p) {
		return err
	}
	if err != nil {
		return nil
	}
	if again := b.Append(nil); !bytes.Equal(src, again) {
		return fmt.Errorf("wrong bytes: Decode takes %s, which Append writes as %s", show(src), show(again))
	}
	return nil
}

// nearly is own with something wrong: cut, longer, a byte changed; and what has nothing to do with it.
func (c *trial) nearly(own []byte) [][]byte {
	var out [][]byte
	for range 12 {
		if len(own) > 0 {
			out = append(out, own[:c.rand.IntN(len(own))])
		}
	}
	out = append(out, append(bytes.Clone(own), 0), append(bytes.Clone(own), 0xff), bytes.Repeat([]byte{0xff}, 40))
	for range 40 {
		if len(own) == 0 {
			break
		}
		b := bytes.Clone(own)
		b[c.near(len(b))] = byte(c.rand.Uint32())
		if c.rand.IntN(2) == 0 {
			b[c.near(len(b))] ^= 1 << c.rand.IntN(8)
		}
		out = append(out, b)
	}
	for range 40 {
		b := make([]byte, c.rand.IntN(40))
		for i := range b {
			b[i] = byte(c.rand.Uint32()) >> c.rand.IntN(8)
		}
		out = append(out, b)
	}
	return out
}

// near is a place in n bytes, more often than not one of the first.
func (c *trial) near(n int) int {
	if c.rand.IntN(2) == 0 {
		n = min(n, 12)
	}
	return c.rand.IntN(n)
}

type panicError struct{ what any }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.what) }

func decode(a window.Accumulator, src []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Decode(%s): %w", show(src), &panicError{p})
		}
	}()
	return a.Decode(src)
}
